// A real control server over a fake speaker on a real unix socket, and a command line whose terminal is a string.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../src/cli/main.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import type { PumpOptions } from '../../src/control/grpc/pump.ts';
import { startControlServer } from '../../src/control/grpc/server.ts';
import { type Logger, silentLogger } from '../../src/lib/log.ts';
import { FakeSpeaker, NOW } from './fake-speaker.ts';

/** Moments are shown in local time: the tests fix the zone. */
process.env['TZ'] = 'UTC';

export interface FakeTerminal extends Terminal {
  readonly interruption: AbortController;
  /** What was written to stdout and stderr. */
  out: string;
  err: string;
}

export function fakeTerminal(overrides: Partial<Terminal> = {}): FakeTerminal {
  const interruption = new AbortController();
  const terminal: FakeTerminal = {
    interruption,
    interrupted: interruption.signal,
    out: '',
    err: '',
    columns: undefined,
    color: false,
    env: {},
    now: () => NOW,
    async write(text) {
      terminal.out += text;
    },
    warn(line) {
      terminal.err += `${line}\n`;
    },
    ...overrides,
  };
  return terminal;
}

export interface ControlLab extends AsyncDisposable {
  readonly speaker: FakeSpeaker;
  readonly socket: string;
  /** Runs `godwit` with these words and `--socket`. */
  godwit(
    words: readonly string[],
    terminal?: FakeTerminal,
  ): Promise<{ code: number; out: string; err: string }>;
  stop(): Promise<void>;
}

export async function startControlLab(
  options: { pump?: Partial<PumpOptions>; logger?: Logger } = {},
): Promise<ControlLab> {
  const directory = await mkdtemp(join(tmpdir(), 'godwit-control-'));
  const socket = join(directory, 'run', 'godwit.sock');
  const speaker = new FakeSpeaker();
  const server = await startControlServer({
    api: speaker,
    socket,
    mode: 0o660,
    logger: options.logger ?? silentLogger,
    ...(options.pump !== undefined && { pump: options.pump }),
  });
  const stop = async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
  return {
    speaker,
    socket,
    stop,
    [Symbol.asyncDispose]: stop,
    async godwit(words, terminal = fakeTerminal()) {
      const code = await main([...words, '--socket', socket], terminal);
      return { code, out: terminal.out, err: terminal.err };
    },
  };
}
