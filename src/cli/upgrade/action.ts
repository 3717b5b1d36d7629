// `godwit upgrade` for people: asks the daemon, and waits until the other program answers in its place.

import { resolve } from 'node:path';
import { COMMANDS } from '../../control/commands.ts';
import type { StatusView, UpgradeRequest } from '../../control/protocol.ts';
import type { Action, Shell } from '../actions.ts';
import { EXIT, ExitError } from '../exit-codes.ts';

const POLL_MS = 100;
/** A program that does not answer by then has not come up. */
const COME_UP_MS = 60_000;

export const upgradeAction: Action<UpgradeRequest> = {
  async run(shell, { program }) {
    const { terminal, client, json } = shell;
    const before = await client.unary(COMMANDS.status, {});
    // The daemon has another working directory.
    const request = program === undefined ? {} : { program: resolve(program) };
    const reply = await client.unary(COMMANDS.upgrade, request);
    const after = await comeUp(shell, before, terminal.now() + COME_UP_MS);
    const { established } = after.peers;
    if (json) {
      await terminal.write(`${JSON.stringify({ ...reply, established }, undefined, 2)}\n`);
      return;
    }
    const what =
      reply.from === after.version ? `version ${reply.from} again` : `${reply.from} to ${after.version}`;
    await terminal.write(
      `Upgraded: ${what}. ${reply.sessions} sessions went on; ${established} are established.\n`,
    );
  },
};

async function comeUp({ terminal, client }: Shell, before: StatusView, limit: number): Promise<StatusView> {
  for (;;) {
    await new Promise((next) => setTimeout(next, POLL_MS));
    const now = await client.unary(COMMANDS.status, {}).catch((error: unknown) => {
      if (error instanceof Error && error.name === 'UnreachableError') return undefined;
      throw error;
    });
    if (now !== undefined && now.startedAt !== before.startedAt) return now;
    const problem = now?.problems.find((sentence) => !before.problems.includes(sentence));
    if (problem?.includes('upgrade') === true) throw new ExitError(EXIT.failed, problem);
    if (terminal.now() > limit) {
      throw new ExitError(
        EXIT.failed,
        'the other program does not answer; look at its log and at "godwit status"',
      );
    }
  }
}
