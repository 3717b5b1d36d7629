// What tests of the real kernel share: a namespace with a link in it, and what the kernel has.

import { routeAt } from '../../src/fib/kernel-view.ts';
import type { Kernel, KernelRoute } from '../../src/fib/types.ts';
import { enterNamespace, type Namespace } from './netns.ts';

export interface LinkedNamespace {
  readonly namespace: Namespace;
  /** Index of the interface that has 10.0.0.1/24 and 2001:db8::1/64. */
  readonly eth0: number;
}

/** Moves this thread into a new namespace whose eth0 is up, with peer0 at its other end. */
export function enterLinkedNamespace(): LinkedNamespace {
  const namespace = enterNamespace();
  namespace.run(`ip link add eth0 type veth peer name peer0
    ip addr add 10.0.0.1/24 dev eth0
    ip -6 addr add 2001:db8::1/64 dev eth0 nodad
    ip link set eth0 up
    ip link set peer0 up`);
  return { namespace, eth0: Number(/^(\d+):/.exec(namespace.run('ip -o link show eth0'))?.[1]) };
}

/** All routes of one address length. */
export async function scanAll(kernel: Kernel, addressBytes: 4 | 16): Promise<KernelRoute[]> {
  const routes: KernelRoute[] = [];
  await kernel.scanRoutes(addressBytes, (rows) => {
    for (let row = 0; row < rows.count; row++) routes.push(routeAt(rows, row));
  });
  return routes;
}

/** Waits for what the kernel does on its own time. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
