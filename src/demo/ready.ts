// Whether the demonstration has come up: every session Established, every route where it belongs. Asked through the
// control sockets, as an operator would.

import { COMMANDS } from '../control/commands.ts';
import { type ControlClient, connectControl } from '../control/grpc/client.ts';
import type { Lab, LabNode } from './lab.ts';
import { expectedInstalls, expectedRoutes, type Plan } from './plan.ts';

/** What is not there yet, one sentence each; empty when all is. */
export async function missingAt(plan: Plan, node: LabNode): Promise<string[]> {
  let client: ControlClient;
  try {
    client = await connectControl(node.socket);
  } catch (error) {
    if (!(error instanceof Error && error.name === 'UnreachableError')) throw error;
    return ['the speaker does not answer yet'];
  }
  try {
    return await missingThere(plan, node, client);
  } catch (error) {
    if (!(error instanceof Error && error.name === 'UnreachableError')) throw error;
    return ['the speaker does not answer any more'];
  } finally {
    client.close();
  }
}

async function missingThere(plan: Plan, node: LabNode, client: ControlClient): Promise<string[]> {
  const missing: string[] = [];
  const { peers } = await client.unary(COMMANDS.showPeers, {});
  for (const peer of peers) {
    if (peer.state === 'Established') continue;
    const why = peer.lastError === undefined ? '' : ` (${peer.lastError})`;
    missing.push(`the session with ${peer.name} is ${peer.state}${why}`);
  }
  const routes = new Set<string>();
  for await (const route of client.list(COMMANDS.showRoutes, { bestOnly: true })) routes.add(route.prefix);
  missing.push(...without('no route to', expectedRoutes(plan), routes));
  const installed = new Set<string>();
  for await (const route of client.list(COMMANDS.showKernel, {})) {
    if (route.origin === 'own' && route.state === 'installed') installed.add(route.prefix);
  }
  missing.push(...without('not in the kernel:', expectedInstalls(plan, node), installed));
  return missing;
}

function without(what: string, wanted: readonly string[], there: ReadonlySet<string>): string[] {
  const absent = wanted.filter((prefix) => !there.has(prefix));
  return absent.length === 0 ? [] : [`${what} ${absent.join(', ')}`];
}

const POLL_MS = 150;

export interface WaitOptions {
  /** Milliseconds. */
  readonly limit: number;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

export interface NotReady {
  readonly node: LabNode;
  readonly missing: readonly string[];
}

/** Waits until nothing is missing; returns what still is when the time is over or a speaker has ended. */
export async function waitReady(lab: Lab, options: WaitOptions): Promise<NotReady[]> {
  const { limit, signal, now, sleep } = options;
  const end = now() + limit;
  for (;;) {
    const report = await Promise.all(
      lab.nodes.map(async (node) => {
        const ended = lab.ended(node);
        const missing =
          ended === undefined ? await missingAt(lab.plan, node) : [`the process ended: ${ended}`];
        return { node, missing };
      }),
    );
    const incomplete = report.filter(({ missing }) => missing.length > 0);
    const dead = lab.nodes.some((node) => lab.ended(node) !== undefined);
    if (incomplete.length === 0 || dead || now() >= end || signal.aborted) return incomplete;
    await sleep(POLL_MS);
  }
}
