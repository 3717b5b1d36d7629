// Network namespaces with what connects them. A name carries the lab it belongs to, so that what an earlier, killed
// run left behind can be told apart and removed.

import { existsSync } from 'node:fs';
import { run } from './command.ts';

/** A network namespace made by this process. */
export class Namespace {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  /** The command that runs `command` in here; the process id stays that of the program itself. */
  wrap(command: readonly string[]): string[] {
    return ['ip', 'netns', 'exec', this.name, ...command];
  }

  run(command: readonly string[]): Promise<string> {
    return run(this.wrap(command));
  }

  /** `ip ARGS` in here. */
  ip(...args: string[]): Promise<string> {
    return run(['ip', '-n', this.name, ...args]);
  }

  /** `ip -json ARGS` in here, parsed. */
  async ipJson(...args: string[]): Promise<Record<string, unknown>[]> {
    const text = await run(['ip', '-n', this.name, '-json', ...args]);
    return text.trim() === '' ? [] : JSON.parse(text);
  }

  /** Adds addresses (`a.b.c.d/n` or `x::y/n`, without duplicate address detection) to a device, in one batch. */
  async addAddresses(device: string, addresses: readonly string[]): Promise<void> {
    const lines = addresses.map((address) => {
      const nodad = address.includes(':') ? ' nodad' : '';
      return `address add ${address} dev ${device}${nodad}`;
    });
    await run(['ip', '-n', this.name, '-batch', '-'], { input: `${lines.join('\n')}\n` });
  }

  /** The Ethernet address of a device. */
  async macOf(device: string): Promise<string> {
    const [link] = await this.ipJson('link', 'show', 'dev', device);
    const mac = link?.['address'];
    if (typeof mac !== 'string') throw new Error(`${device} in ${this.name} has no Ethernet address`);
    return mac;
  }

  /**
   * Enters neighbours for good. The kernel's table of learned ones is the whole machine's, and by default has room for
   * a thousand; entries like these do not count.
   */
  async addNeighbors(device: string, mac: string, addresses: readonly string[]): Promise<void> {
    const lines = addresses.map(
      (address) => `neighbor add ${address} lladdr ${mac} dev ${device} nud permanent`,
    );
    await run(['ip', '-n', this.name, '-batch', '-'], { input: `${lines.join('\n')}\n` });
  }

  /** With the processes that are still in here. */
  remove(): Promise<void> {
    return removeWithProcesses(this.name);
  }
}

/** Makes a namespace with its loopback up. */
export async function createNamespace(name: string): Promise<Namespace> {
  await run(['ip', 'netns', 'add', name]);
  const namespace = new Namespace(name);
  await namespace.ip('link', 'set', 'lo', 'up');
  return namespace;
}

/**
 * Removes namespaces called `prefix` + id of the process that made them + anything, where that process is gone, with the
 * processes that it left in them: two runs side by side leave each other alone.
 */
export async function removeAbandoned(prefix: string): Promise<void> {
  for (const { name } of await listNamespaces()) {
    if (name.startsWith(prefix) && makerIsGone(name.slice(prefix.length))) await removeWithProcesses(name);
  }
}

/** `text` begins with a process id. */
export function makerIsGone(text: string): boolean {
  const pid = Number.parseInt(text, 10);
  return !Number.isNaN(pid) && !existsSync(`/proc/${pid}`);
}

async function removeWithProcesses(name: string): Promise<void> {
  const pids = (await run(['ip', 'netns', 'pids', name])).split('\n').filter((line) => line !== '');
  for (const pid of pids) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
  await run(['ip', 'netns', 'del', name]);
}

async function listNamespaces(): Promise<{ name: string }[]> {
  const text = await run(['ip', '-json', 'netns', 'list']);
  return text.trim() === '' ? [] : JSON.parse(text);
}

export interface LinkEnd {
  readonly namespace: Namespace;
  readonly device: string;
  readonly addresses: readonly string[];
}

/** A veth pair between two namespaces, both ends up and addressed. */
export async function connectPair(a: LinkEnd, b: LinkEnd): Promise<void> {
  const peer = ['peer', 'name', b.device, 'netns', b.namespace.name];
  await run(['ip', 'link', 'add', a.device, 'netns', a.namespace.name, 'type', 'veth', ...peer]);
  for (const end of [a, b]) {
    await end.namespace.addAddresses(end.device, end.addresses);
    await end.namespace.ip('link', 'set', end.device, 'up');
  }
}

/** A bridge in a namespace of its own, to which every end is attached: one shared network. */
export async function connectAll(bridge: Namespace, ends: readonly LinkEnd[]): Promise<void> {
  await bridge.ip('link', 'add', 'br0', 'type', 'bridge');
  await bridge.ip('link', 'set', 'br0', 'up');
  for (const [i, end] of ends.entries()) {
    const port = `port${i}`;
    await connectPair(end, { namespace: bridge, device: port, addresses: [] });
    await bridge.ip('link', 'set', port, 'master', 'br0');
  }
}
