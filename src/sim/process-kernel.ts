// The kernel as one process of a simulation sees it: answers may take a moment of simulated time. A process that is
// stopped asks and hears nothing until it goes on, and one that has ended never: its unfinished writes are lost with it.

import type { MemKernel } from '../fib/mem-kernel.ts';
import type { Kernel, KernelEvents } from '../fib/types.ts';
import type { ProcessClock } from './clock.ts';

/** `delay` gives milliseconds for each question; without it answers come at once. */
export function processKernel(machine: MemKernel, clock: ProcessClock, delay?: () => number): Kernel {
  const kernel = machine.session();
  let lastDue = 0;
  // In the order in which they were asked, as the netlink thread does it.
  const later = <T>(ask: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const go = () =>
        void ask().then(
          (answer) => clock.run(() => resolve(answer)),
          (error: unknown) => clock.run(() => reject(error)),
        );
      if (delay === undefined) {
        clock.run(go);
        return;
      }
      lastDue = Math.max(lastDue, clock.now() + delay());
      clock.setTimer(lastDue - clock.now(), go);
    });
  const guarded = (events: KernelEvents): KernelEvents => ({
    onRoutes: (rows) => clock.run(() => events.onRoutes(rows)),
    onLink: (change, link) => clock.run(() => events.onLink(change, link)),
    onAddress: (change, address) => clock.run(() => events.onAddress(change, address)),
    onOverrun: () => clock.run(() => events.onOverrun()),
    onRoutesLost: () => clock.run(() => events.onRoutesLost()),
    onFailure: (error) => clock.run(() => events.onFailure(error)),
  });
  return {
    defineTarget: (id, target) => kernel.defineTarget(id, target),
    apply: (batch) => later(() => kernel.apply(batch)),
    scanRoutes: (addressBytes, onRows) =>
      later(() => kernel.scanRoutes(addressBytes, (rows) => clock.run(() => onRows(rows)))),
    dumpLinks: () => later(() => kernel.dumpLinks()),
    dumpAddresses: () => later(() => kernel.dumpAddresses()),
    watch: (events) => later(() => kernel.watch(guarded(events))),
    close: () => later(() => kernel.close()),
  };
}
