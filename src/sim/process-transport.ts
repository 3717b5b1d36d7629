// The network of a machine as one process of a simulation has it. The kernel closes the sockets of a process that ends
// (network.ts), but what promises have still to do happens afterwards here: it must not open others, which would be in
// the way of the next process or even speak to it.

import type { Transport } from '../bgp/session/transport.ts';
import type { ProcessClock } from './clock.ts';
import { type MemHost, MemNetwork } from './network.ts';

export function processTransport(machine: MemHost, clock: ProcessClock): Transport {
  // Once the process has ended: an empty network, where by the process' own clock nothing ever happens.
  const host = () => (clock.alive ? machine : new MemNetwork(clock).host());
  return {
    connect: (options, handlers) => host().connect(options, handlers),
    listen: (options, handlers) => host().listen(options, handlers),
    takeOver: (handed, options) => host().takeOver(handed, options),
  };
}
