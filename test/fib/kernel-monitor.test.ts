// What happens to links and addresses while they are being read.

import { describe, expect, it } from 'vitest';
import type { MemKernel } from '../../src/fib/mem-kernel.ts';
import { formatAddress } from '../../src/lib/ip.ts';
import { address, Bench, ETH0, ETH1, machine, route } from '../support/mem-kernel.ts';

function setUp(kernel: MemKernel, up: boolean): void {
  kernel.setLink({ ifindex: ETH0, name: 'eth0', up, loopback: false, mtu: 1500 });
}

/** The next time that addresses are asked for, `happens` comes after the links' and their own answer was made. */
function whileRead(kernel: MemKernel, happens: () => void): void {
  const read = kernel.dumpAddresses.bind(kernel);
  kernel.dumpAddresses = async () => {
    kernel.dumpAddresses = read;
    const answer = await read();
    happens();
    return answer;
  };
}

function seen({ view }: Bench): { up: boolean | undefined; addresses: string[] } {
  const addresses = view.addresses.map((own) => formatAddress(own.address));
  return { up: view.interfaceOf(ETH0)?.up, addresses: addresses.sort() };
}

describe('KernelMonitor', () => {
  it.each([true, false])('believes a link that turns while it is read: up %s', async (up) => {
    const kernel = machine();
    setUp(kernel, !up);
    whileRead(kernel, () => setUp(kernel, up));
    expect(seen(await Bench.started(kernel)).up).toBe(up);
  });

  it('believes addresses that come and go while they are read', async () => {
    const kernel = machine();
    whileRead(kernel, () => {
      kernel.addAddress({ ifindex: ETH1, address: address('10.0.2.1'), prefixLength: 24 });
      kernel.removeAddress({ ifindex: ETH0, address: address('10.0.0.1'), prefixLength: 24, scope: 0 });
    });
    const { addresses } = seen(await Bench.started(kernel));
    expect(addresses).toEqual(['10.0.1.1', '10.0.2.1', '2001:db8:1::1', '2001:db8::1']);
  });

  it('believes what it reads after notifications were lost, not what was told before', async () => {
    const kernel = machine();
    const bench = await Bench.started(kernel);
    whileRead(kernel, () => {
      setUp(kernel, false);
      kernel.deaf = true;
      setUp(kernel, true);
      kernel.overrun();
    });
    kernel.overrun();
    await bench.run();
    expect(bench.monitor.overruns).toBe(2);
    expect(seen(bench).up).toBe(true);
  });

  it('looks for routes that went with their next hop', async () => {
    const kernel = machine();
    const bench = await Bench.started(kernel);
    bench.set('192.0.2.0/24', '10.0.0.2');
    await bench.run(2000);
    kernel.deleteRoute(route('192.0.2.0/24'), true);
    kernel.routesLost();
    await bench.run(100);
    expect(bench.own()).toEqual(['192.0.2.0/24 10.0.0.2 50']);
    expect(bench.monitor.overruns).toBe(0);
    expect(bench.warnings).toEqual(['own kernel routes were missing or different; writing them again']);
  });

  it('tells what happened while they could not be read', async () => {
    const kernel = machine();
    const bench = await Bench.started(kernel);
    whileRead(kernel, () => {
      setUp(kernel, false);
      throw new Error('no descriptors left');
    });
    kernel.overrun();
    await bench.run();
    expect(bench.warnings.at(-1)).toContain('cannot read the links');
    expect(seen(bench).up).toBe(false);
  });
});
