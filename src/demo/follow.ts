// The merged log of session changes: one line each time a session of any speaker comes up or goes down, told by the
// speakers themselves through their control sockets.

import type { Style } from '../cli/render/style.ts';
import { safeText } from '../cli/render/style.ts';
import { formatSince } from '../cli/render/units.ts';
import { COMMANDS } from '../control/commands.ts';
import { connectControl } from '../control/grpc/client.ts';
import type { PeerView } from '../control/protocol.ts';
import type { Lab, LabNode } from './lab.ts';

export interface FollowOptions {
  readonly style: Style;
  readonly signal: AbortSignal;
  readonly write: (line: string) => void;
  /** Wall-clock milliseconds. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** How long until a speaker that does not answer is asked again. */
const RETRY_MS = 1000;
const SETTLE_MS = 200;

/** Follows all speakers until the signal is given. */
export async function followSessions(lab: Lab, options: FollowOptions): Promise<void> {
  await Promise.all(lab.nodes.map((node) => followNode(lab, node, options)));
}

async function followNode(lab: Lab, node: LabNode, options: FollowOptions): Promise<void> {
  const { signal, style, sleep } = options;
  const established = new Map<string, boolean>();
  let answering = true;
  const say = (text: string) => options.write(lineOf(node.name, text, options));
  while (!signal.aborted) {
    try {
      const client = await connectControl(node.socket);
      if (!answering) say(style.good('answers again'));
      answering = true;
      try {
        for await (const { peer } of client.watch(COMMANDS.watchPeers, { includeCurrent: true }, signal)) {
          const text = changeText(peer, established, style);
          if (text !== undefined) say(text);
        }
      } finally {
        client.close();
      }
    } catch (error) {
      if (!(error instanceof Error && error.name === 'UnreachableError')) throw error;
      // A moment for the process to be reported as ended, if that is why.
      await sleep(SETTLE_MS);
      if (signal.aborted) return;
      const ended = lab.ended(node);
      const why = ended === undefined ? 'does not answer' : `the process ended (${ended})`;
      if (answering) say(style.bad(why));
      answering = false;
    }
    await sleep(RETRY_MS);
  }
}

/** Undefined where nothing changed that anybody wants to read: the steps of an attempt are not worth a line. */
function changeText(peer: PeerView, established: Map<string, boolean>, style: Style): string | undefined {
  const up = peer.state === 'Established';
  const before = established.get(peer.name);
  established.set(peer.name, up);
  // What is up when we begin to look is no news.
  if (before === up || before === undefined) return undefined;
  const name = `${safeText(peer.name)} (${peer.address})`;
  if (up) return `${name} ${style.good('is up')}`;
  const why = peer.lastError === undefined ? '' : `: ${safeText(peer.lastError)}`;
  return `${name} ${style.bad('is down')}${why}`;
}

function lineOf(node: string, text: string, { now, style }: FollowOptions): string {
  const moment = now();
  return `${style.dim(formatSince(moment, moment))}  ${style.bold(node.padEnd(5))}  ${text}`;
}
