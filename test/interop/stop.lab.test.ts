// A real daemon that is told to stop while everything is open: clients in the middle of what they want, a peer that does
// not read, a disk that hangs. It ends by itself, with 0, and nobody is left without an end.

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MESSAGE_TYPE } from '../../src/bgp/wire/iana.ts';
import { COMMANDS } from '../../src/control/commands.ts';
import { connectControl } from '../../src/control/grpc/client.ts';
import { hex, message } from '../support/wire.ts';

const BIN = new URL('../../bin/godwit.js', import.meta.url).pathname;
const NETWORKS = 5000;
const POLL_MS = 20;

let directory: string;
const cleanups: (() => void)[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'godwit-stop-lab-'));
});
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
  rmSync(directory, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** An open connection; promises of the first octets and of its end, which only who reads sees. */
async function open(to: { path: string } | { host: string; port: number; localAddress?: string }) {
  const socket = dial(to);
  cleanups.push(() => socket.destroy());
  const heard = new Promise((resolve) => socket.once('data', resolve));
  const ended = new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
    socket.on('error', () => resolve());
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  return { socket, heard, ended };
}

it('a stop ends, whoever is connected and whatever hangs', async () => {
  const [bgp, http] = [await freePort(), await freePort()];
  const [grpcSocket, birdSocket] = [join(directory, 'grpc.sock'), join(directory, 'bird.sock')];
  // Whoever opens it for writing waits for a reader.
  const journal = join(directory, 'journal');
  execFileSync('mkfifo', [journal]);
  const config = join(directory, 'godwit.yaml');
  const networks = Array.from({ length: NETWORKS }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
  writeFileSync(
    config,
    JSON.stringify({
      router: { asn: 64512, id: '10.99.0.1' },
      listen: [`127.0.0.1:${bgp}`],
      kernel: { install: false },
      networks: networks.map((prefix) => ({ prefix, type: 'none' })),
      peers: [{ name: 'deaf', address: '127.0.0.9', asn: 64512, passive: true }],
      control: { socket: grpcSocket, bird: { socket: birdSocket } },
      http: { listen: `127.0.0.1:${http}` },
      journal: { file: journal },
    }),
  );
  const running = spawn(process.execPath, [BIN, 'run', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  cleanups.push(() => running.kill('SIGKILL'));
  let out = '';
  for (const stream of [running.stdout, running.stderr])
    stream.on('data', (chunk) => {
      out += chunk;
    });
  const exit = new Promise<number | null>((resolve) => running.once('close', resolve));
  while (!out.includes('HTTP server is listening') && running.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));

  const peer = await open({ host: '127.0.0.1', port: bgp, localAddress: '127.0.0.9' });
  peer.socket.write(message(MESSAGE_TYPE.open, hex('04 fc00 0000 0a630009 00')));
  peer.socket.write(message(MESSAGE_TYPE.keepalive, hex('')));
  await peer.heard;
  peer.socket.pause();
  const bird = await open({ path: birdSocket });
  bird.socket.write('show route all\n');
  await bird.heard;
  bird.socket.pause();
  const idle = await open({ path: birdSocket });
  const half = await open({ host: '127.0.0.1', port: http });
  half.socket.write('GET /metrics HTTP/1.1\r\n');
  const raw = await open({ path: grpcSocket });
  raw.socket.write('PRI * HTTP/2.0\r\n');
  const client = await connectControl(grpcSocket);
  cleanups.push(() => client.close());
  const { signal } = new AbortController();
  const watch = client.watch(COMMANDS.watchRoutes, {}, signal)[Symbol.asyncIterator]();
  const refused = watch.next().then(
    () => false,
    () => true,
  );

  running.kill('SIGTERM');
  expect([await exit, out.includes('not stopped within')]).toEqual([0, false]);
  await Promise.all([idle.ended, half.ended, raw.ended]);
  expect(await refused).toBe(true);
  expect([existsSync(grpcSocket), existsSync(birdSocket)]).toEqual([false, false]);
});
