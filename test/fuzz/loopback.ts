// The same over real TCP on the loopback: a speaker with a healthy session and a crowd of sockets that say anything to
// its BGP port and to its control socket. The healthy session stays, and the control socket answers afterwards.

import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeKeepalive } from '../../src/bgp/wire/header.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { COMMANDS } from '../../src/control/commands.ts';
import { connectControl } from '../../src/control/grpc/client.ts';
import { startControlServer } from '../../src/control/grpc/server.ts';
import type { LogFields, Logger } from '../../src/lib/log.ts';
import { drawInteger, drawTrue, seededRandom } from '../../src/sim/random.ts';
import { createSpeaker, type RunningSpeaker } from '../../src/speaker/main.ts';
import { ownPort } from '../support/own-port.ts';
import { drawMessage, drawOpen, mutateMessage } from './bgp.ts';
import { drawBytes, join, mutateBytes } from './mutate.ts';

const PORT = ownPort();
const SESSIONS = 20;
const BURSTS = 10;
const UP_TRIES = 100;
const PAUSE_MS = 100;
const OWN_AS = 64_512;
const HOSTILE_AS = 65_066;
/** What a client of HTTP/2 says first. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export async function loopbackRound(seed: number): Promise<{ messages: number; broken: readonly string[] }> {
  const random = seededRandom(seed);
  const directory = mkdtempSync(joinPath(tmpdir(), 'godwit-fuzz-'));
  const socketPath = joinPath(directory, 'control.sock');
  const errors: string[] = [];
  const timers = { connectDelayTime: 0, connectRetryTime: 1, errorWaitMin: 1, errorWaitMax: 1 };
  const accept = { import: 'accept', export: 'accept' } as const;
  const speaker = await start(errors, {
    router: { asn: OWN_AS, id: '10.0.0.1' },
    listen: [{ address: '127.0.0.1', port: PORT }],
    control: { socket: socketPath },
    peers: [
      { address: '127.0.0.2', asn: OWN_AS, port: PORT, localAddress: '127.0.0.1', ...timers },
      { address: '127.0.0.66', asn: HOSTILE_AS, passive: true, ...accept, ...timers },
    ],
    networks: ['10.100.1.0/24'],
  });
  const healthy = await start(errors, {
    router: { asn: OWN_AS, id: '10.0.0.2' },
    listen: [{ address: '127.0.0.2', port: PORT }],
    control: false,
    peers: [{ address: '127.0.0.1', asn: OWN_AS, port: PORT, localAddress: '127.0.0.2', ...timers }],
    networks: ['10.100.2.0/24'],
  });
  const control = await startControlServer({
    api: speaker.api,
    socket: socketPath,
    mode: 0o600,
    logger: silent(errors),
  });
  const session = () => speaker.api.peers().find(({ address }) => address === '127.0.0.2');
  let messages = 0;
  try {
    for (let tries = 0; session()?.state !== 'Established' && tries < UP_TRIES; tries++)
      await sleep(PAUSE_MS);
    for (let i = 0; i < SESSIONS; i++) {
      const bgp = dial({ host: '127.0.0.1', port: PORT, localAddress: '127.0.0.66' });
      const open = drawOpen(random, HOSTILE_AS, 0x7f000042);
      await write(
        bgp,
        join(drawTrue(random, 0.9) ? open : mutateMessage(random, open, open), encodeKeepalive()),
      );
      for (let burst = 0; burst < BURSTS && !bgp.destroyed; burst++) {
        const said = Array.from({ length: drawInteger(random, 1, 60) }, () => {
          const message = drawMessage(random, HOSTILE_AS);
          return drawTrue(random) ? message : mutateMessage(random, message, open);
        });
        messages += said.length;
        await write(bgp, join(...said));
      }
      bgp.destroy();
      const grpc = dial({ path: socketPath });
      const frames = join(PREFACE, drawBytes(random, 200));
      await write(grpc, drawTrue(random) ? frames : mutateBytes(random, frames, open));
      messages++;
      grpc.destroy();
    }
    await sleep(PAUSE_MS);
    const client = await connectControl(socketPath);
    const status = await client.unary(COMMANDS.status, {});
    client.close();
    const broken = [...errors];
    if (session()?.state !== 'Established' || session()?.downCount !== 0) {
      broken.push(`the healthy session was lost: ${session()?.lastError}`);
    }
    if (status.peers.total !== 2) broken.push(`the control socket says ${JSON.stringify(status.peers)}`);
    return { messages, broken };
  } finally {
    await control.stop();
    await Promise.all([speaker.stop(), healthy.stop()]);
    rmSync(directory, { recursive: true });
  }
}

async function start(errors: string[], input: ConfigInput): Promise<RunningSpeaker> {
  const load = () =>
    parseConfig(JSON.stringify(input), 'godwit.yaml', {}, String, { hostname: 'fuzz', addresses: [] });
  const loaded = load();
  if (!loaded.ok) throw new Error(loaded.issues.map(({ message }) => message).join('\n'));
  return createSpeaker({
    config: loaded.config,
    configFile: 'godwit.yaml',
    loadConfig: load,
    logger: silent(errors),
  });
}

function silent(errors: string[]): Logger {
  const logger: Logger = {
    debug() {},
    info() {},
    warn() {},
    error: (fields: LogFields, text) => errors.push(`${text} ${JSON.stringify(fields)}`),
    child: () => logger,
  };
  return logger;
}

function dial(options: { path: string } | { host: string; port: number; localAddress: string }): Socket {
  const socket = connect(options);
  // Resets are what such a client gets.
  socket.on('error', () => socket.destroy());
  socket.resume();
  return socket;
}

/** Resolves when it is written, or cannot be. */
function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    else {
      const done = (): void => {
        socket.off('close', done);
        resolve();
      };
      socket.on('close', done);
      socket.write(bytes, done);
    }
  });
}
