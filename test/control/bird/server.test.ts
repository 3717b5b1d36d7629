import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type BirdControl,
  type BirdControlOptions,
  startBirdControl,
} from '../../../src/control/bird/server.ts';
import { SocketError } from '../../../src/control/unix-socket.ts';
import { silentLogger } from '../../../src/lib/log.ts';
import { fakeAnswer } from '../../support/fake-bird.ts';
import { FakeSpeaker } from '../../support/fake-speaker.ts';

const run = promisify(execFile);

let directory: string;
let path: string;
let speaker: FakeSpeaker;
const running: BirdControl[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'godwit-bird-'));
  path = join(directory, 'run', 'bird.ctl');
  speaker = new FakeSpeaker();
});
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
  await rm(directory, { recursive: true, force: true });
});

async function start(options: Partial<BirdControlOptions> = {}): Promise<BirdControl> {
  const server = await startBirdControl({
    api: speaker,
    socket: path,
    mode: 0o660,
    style: 'auto',
    restricted: false,
    logger: silentLogger,
    shutdown: () => {},
    ...options,
  });
  running.push(server);
  return server;
}

/** Sends a text and reads until the server closes. */
function converse(text: string, options: { end?: boolean } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('end', () => {
      socket.end();
      resolve(answer);
    });
    socket.on('error', reject);
    // Before the greeting has come.
    if (options.end === false) socket.write(text);
    else socket.end(text);
  });
}

describe('the socket', () => {
  it('has the mode that is configured, and is gone afterwards', async () => {
    const server = await start({ mode: 0o600 });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await server.stop();
    await expect(stat(path)).rejects.toThrow('ENOENT');
  });

  it('takes the place of one that a dead daemon left behind', async () => {
    await chmod(directory, 0o700);
    await start().then((server) => server.stop());
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(path, resolve));
    // A process that dies does not take its socket with it.
    dead.close();
    await writeFile(join(directory, 'x'), '');
    await start();
    expect(await converse('')).toMatch(/^0001 BIRD /);
  });

  it('is never taken from a daemon that answers, nor anything that is no socket', async () => {
    await start();
    await expect(start()).rejects.toThrow(SocketError);
    const file = join(directory, 'file');
    await writeFile(file, 'precious');
    await expect(start({ socket: file })).rejects.toThrow('is no socket');
  });

  it('says a version that tools read, of either generation', async () => {
    await start();
    expect(await converse('')).toMatch(/^0001 BIRD 2\.0\.12\+godwit-0\.1\.0 ready\.\n$/);
    speaker.bird.config = { ...speaker.bird.config, dialect: '1.6' };
    // Calico wants a `v`.
    expect(await converse('')).toMatch(/^0001 BIRD v1\.6\.8\+godwit-0\.1\.0 ready\.\n$/);
  });

  it('follows the dialect of the configuration, unless it is told how to speak', async () => {
    await start();
    speaker.bird.config = { ...speaker.bird.config, dialect: '1.6' };
    expect(await converse('show protocols\n')).toContain('2002-name     proto');
    speaker.bird.config = { ...speaker.bird.config, dialect: '2.x' };
    expect(await converse('show protocols\n')).toContain('2002-Name       Proto');
    const json = join(directory, 'json.ctl');
    await start({ socket: json, style: 'json' });
    path = json;
    const [, status = ''] = (await converse('show status\n')).split('\n');
    expect(JSON.parse(status.slice('1000-'.length))).toMatchObject({ routerId: '10.99.0.1' });
  });
});

describe('clients', () => {
  it('may speak before the greeting, several commands at once, and close their side', async () => {
    await start();
    const answer = await converse('show status\nconfigure confirm\nshow protocols\n');
    expect(answer.match(/^0001 |^0013 |^0019 |^0000 /gm)).toEqual(['0001 ', '0013 ', '0019 ', '0000 ']);
  });

  it('that send too much are told so and let go', async () => {
    await start();
    const answer = await converse('x'.repeat(100_000), { end: false });
    expect(answer.split('\n')[1]).toBe('9000 Command too long: at most 4096 octets');
  });

  it('that go away in the middle disturb nobody', async () => {
    await start();
    speaker.bird.answer = () => [
      fakeAnswer(
        'master4',
        Array.from({ length: 50_000 }, () => undefined),
      ),
    ];
    const sockets: Socket[] = [];
    for (let i = 0; i < 20; i++) {
      const socket = connect(path);
      socket.on('error', () => {});
      socket.write('show route\nshow route\n');
      sockets.push(socket);
    }
    await converse('show status\n');
    for (const socket of sockets) socket.destroy();
    expect(await converse('show status\n')).toContain('0013 Daemon is up and running');
  });

  it('are let go when the daemon ends', async () => {
    const server = await start();
    const waiting = converse('show status\n', { end: false });
    await converse('show status\n');
    await server.stop();
    expect(await waiting).toContain('0013 ');
  });

  it('see each other and not each other’s settings', async () => {
    await start();
    const [first, second] = await Promise.all([
      converse('restrict\nconfigure\n'),
      converse('configure\nconfigure confirm\n'),
    ]);
    expect(first).toContain('8007 Access denied');
    expect(second).toContain('0003 Reconfigured');
  });

  it('need nothing but a socket', async () => {
    await start();
    const script = `
      const socket = require('node:net').connect(${JSON.stringify(path)});
      socket.on('data', (chunk) => process.stdout.write(chunk));
      socket.end('show status\\n');`;
    const { stdout } = await run(process.execPath, ['-e', script]);
    expect(stdout).toContain('0013 Daemon is up and running');
  });
});
