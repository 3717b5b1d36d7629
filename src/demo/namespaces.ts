// The demonstration as a small network of its own: a namespace for each speaker and one with the bridge that connects
// them, veth pairs in between, a godwit process in each. Nothing of it touches the network of the machine.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../lib/clock.ts';
import { packageRoot } from '../lib/package-info.ts';
import { CommandFailedError, runCommand, runIp } from './command.ts';
import { configText } from './config-file.ts';
import type { Instance } from './instance.ts';
import { type Lab, type LabNode, labNodes, SWITCH } from './lab.ts';
import { AGENT_PROTOCOL, type DemoNode, makePlan, SEGMENT_BITS, SEGMENT_BITS6 } from './plan.ts';

const PLACE = { network: '10.99.0', network6: 'fd99', port: 179, shared: false } as const;
const BRIDGE = 'br0';
const DEVICE = 'eth0';
/** A speaker that does not end by itself within this time is killed. */
const STOP_MS = 8000;

/** Tries out, in a namespace that is removed again, what the lab needs. Returns a sentence about what is missing. */
export async function namespacesMissing(instance: Instance): Promise<string | undefined> {
  const probe = namespaceName(instance, 'probe');
  try {
    await removeNamespaces([probe]);
    await runCommand(['ip', 'netns', 'add', probe]);
    await runIp(probe, [
      'link set lo up',
      'link add veth0 type veth peer name veth1',
      `link add ${BRIDGE} type bridge`,
      `route add blackhole 192.0.2.0/24 proto ${AGENT_PROTOCOL}`,
    ]);
    await runCommand(['ip', 'netns', 'exec', probe, 'true']);
    return undefined;
  } catch (error) {
    if (!(error instanceof CommandFailedError)) throw error;
    if (error.code === 'ENOENT')
      return 'No network namespaces: the program "ip" (Debian package iproute2) is missing';
    const why = process.getuid?.() === 0 ? error.message.split('\n')[0] : 'only root may do that here';
    return `No privilege to make network namespaces: ${why}`;
  } finally {
    await removeNamespaces([probe]).catch(ignoreFailedCommand);
  }
}

/** Where nothing can be made there is nothing to remove either. */
function ignoreFailedCommand(error: unknown): void {
  if (!(error instanceof CommandFailedError)) throw error;
}

function namespaceName(instance: Instance, name: string): string {
  return `gwdemo${instance.number === 1 ? '' : instance.number}-${name}`;
}

/** Removes those of the named namespaces that exist, with the processes that run in them. */
async function removeNamespaces(names: readonly string[]): Promise<void> {
  const text = await runCommand(['ip', '-json', 'netns', 'list']);
  const present: { name: string }[] = text.trim() === '' ? [] : JSON.parse(text);
  for (const name of names) {
    if (!present.some((each) => each.name === name)) continue;
    const pids = await runCommand(['ip', 'netns', 'pids', name]);
    for (const pid of pids.split('\n').filter((line) => line !== '')) kill(Number(pid));
    await runCommand(['ip', 'netns', 'del', name]);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

export function namespaceLab(instance: Instance): Lab {
  const plan = makePlan(PLACE);
  const { directory } = instance;
  const nodes = labNodes(plan, directory);
  const namespaceOf = (name: string) => namespaceName(instance, name);
  const all = [SWITCH, ...nodes.map((node) => node.name)].map(namespaceOf);
  const children = new Map<string, ChildProcess>();
  return {
    plan,
    directory,
    nodes,
    namespaceOf,
    async start() {
      await removeNamespaces(all);
      for (const name of all) {
        await runCommand(['ip', 'netns', 'add', name]);
        await runIp(name, ['link set lo up']);
      }
      await runIp(namespaceOf(SWITCH), [`link add ${BRIDGE} type bridge`, `link set ${BRIDGE} up`]);
      for (const node of nodes) {
        await connect(node, namespaceOf(SWITCH), namespaceOf(node.name));
        writeFileSync(node.configFile, configText(plan, node, node));
      }
      for (const node of nodes) {
        children.set(node.name, startSpeaker(node, namespaceOf(node.name)));
      }
    },
    async routes(node) {
      const [ipv4, ipv6] = await Promise.all([
        runCommand(['ip', '-n', namespaceOf(node.name), 'route']),
        runCommand(['ip', '-n', namespaceOf(node.name), '-6', 'route']),
      ]);
      return `${ipv4}${ipv6}`.replace(/[ \t]+$/gm, '');
    },
    ended(node) {
      const child = children.get(node.name);
      if (child === undefined || (child.exitCode === null && child.signalCode === null)) return undefined;
      return child.signalCode === null ? `exit code ${child.exitCode}` : `signal ${child.signalCode}`;
    },
    async stop() {
      await Promise.all([...children.values()].map(endChild));
      await removeNamespaces(all);
    },
  };
}

async function connect(node: DemoNode, bridge: string, namespace: string): Promise<void> {
  await runIp(bridge, [
    `link add ${node.name} type veth peer name ${DEVICE} netns ${namespace}`,
    `link set ${node.name} master ${BRIDGE}`,
    `link set ${node.name} up`,
  ]);
  await runIp(namespace, [
    `address add ${node.address}/${SEGMENT_BITS} dev ${DEVICE}`,
    `address add ${node.address6}/${SEGMENT_BITS6} dev ${DEVICE} nodad`,
    `link set ${DEVICE} up`,
    ...node.hosts.map((host) => `address add ${host} dev lo`),
    ...node.blocks.map((block) => `route add blackhole ${block} proto ${AGENT_PROTOCOL}`),
  ]);
}

/** A session of its own, so that an interrupt on the terminal reaches only us and everything ends in order. */
function startSpeaker(node: LabNode, namespace: string): ChildProcess {
  const program = join(packageRoot(), 'bin', 'godwit.js');
  const log = openSync(node.logFile, 'a');
  try {
    return spawn(
      'ip',
      ['netns', 'exec', namespace, process.execPath, program, 'run', '-c', node.configFile],
      { detached: true, stdio: ['ignore', log, log] },
    );
  } finally {
    closeSync(log);
  }
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = systemClock.setTimer(STOP_MS, () => child.kill('SIGKILL'));
  await ended;
  timer.cancel();
}
