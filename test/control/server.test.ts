import { chmod, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/control/commands.ts';
import { type ControlClient, connectControl, UnreachableError } from '../../src/control/grpc/client.ts';
import { startControlServer } from '../../src/control/grpc/server.ts';
import { CommandError } from '../../src/control/protocol.ts';
import { probeSocket, SocketError } from '../../src/control/unix-socket.ts';
import { type LogFields, silentLogger } from '../../src/lib/log.ts';
import { type ControlLab, startControlLab } from '../support/control-lab.ts';
import { FakeSpeaker, fakePeer, fakeRoute } from '../support/fake-speaker.ts';

const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** Waits, turn by turn, until something holds. */
const until = async (holds: () => boolean) => {
  while (!holds()) await turns(1);
};

describe('errors', () => {
  const errors: { fields: LogFields; message: string }[] = [];
  let lab: ControlLab;
  let client: ControlClient;
  beforeAll(async () => {
    lab = await startControlLab({
      logger: { ...silentLogger, error: (fields, message) => void errors.push({ fields, message }) },
    });
    client = await connectControl(lab.socket);
  });
  afterAll(async () => {
    client.close();
    await lab.stop();
  });

  test.each([
    ['not-found', () => client.unary(COMMANDS.peer, { name: 'x', action: 'up' }), 'There is no peer "x".'],
    ['invalid', () => client.unary(COMMANDS.explain, { prefix: 'x' }), '"x" is not a prefix or address'],
    ['failed', () => client.unary(COMMANDS.reload, {}), 'godwit.yaml:3: no'],
    [
      'not-found',
      () => client.list(COMMANDS.showRoutes, { receivedFrom: 'x' }).next(),
      'There is no peer "x".',
    ],
    [
      'invalid',
      () => client.list(COMMANDS.showRoutes, { family: 'x' }).next(),
      '"x" is not an address family',
    ],
    [
      'invalid',
      () => client.watch(COMMANDS.watchRoutes, { prefix: 'x' }, new AbortController().signal).next(),
      '"x" is not a prefix or address',
    ],
  ] as const)('a speaker that says %s', async (code, call, message) => {
    lab.speaker.reloadResult = new CommandError('failed', 'godwit.yaml:3: no');
    const error = await call().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(errors).toEqual([]);
  });

  test('a fault of ours is logged, and the daemon goes on', async () => {
    const call = client.unary(COMMANDS.networkAdd, { prefix: '203.0.113.0/24' });
    await expect(call).rejects.toThrow('network add failed unexpectedly: the table is on fire');
    expect(errors).toMatchObject([
      { fields: { command: 'network add' }, message: 'a command failed unexpectedly' },
    ]);
    expect((await client.unary(COMMANDS.status, {})).hostname).toBe('rr-1');
  });
});

describe('long lists', () => {
  const COUNT = 200_000;

  function countingRoutes(progress: { produced: number; closed: boolean }) {
    return (function* () {
      try {
        for (let n = 0; n < COUNT; n++) {
          progress.produced++;
          yield fakeRoute({ prefix: `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}/32` });
        }
      } finally {
        progress.closed = true;
      }
    })();
  }

  test('arrive whole while others are answered, and wait for a slow reader in bounded memory', async () => {
    await using lab = await startControlLab();
    const client = await connectControl(lab.socket);
    const progress = { produced: 0, closed: false };
    lab.speaker.routeViews = countingRoutes(progress);
    const list = client.list(COMMANDS.showRoutes, {});
    await list.next();
    // Nobody reads now: what is produced comes to rest at the buffers of both sides.
    let before = -1;
    while (before !== progress.produced) {
      before = progress.produced;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(progress.produced).toBeLessThan(COUNT / 10);

    let received = 1;
    let answered = 0;
    const others = (async () => {
      while (received < COUNT) {
        await client.unary(COMMANDS.status, {});
        answered++;
      }
    })();
    for await (const route of list) {
      expect(route.peer).toBe('tor-a');
      received++;
    }
    await others;
    expect(received).toBe(COUNT);
    expect(progress).toEqual({ produced: COUNT, closed: true });
    expect(answered).toBeGreaterThan(1);
    client.close();
  });

  test('stop when the client leaves', async () => {
    await using lab = await startControlLab();
    const client = await connectControl(lab.socket);
    const progress = { produced: 0, closed: false };
    lab.speaker.routeViews = countingRoutes(progress);
    for await (const route of client.list(COMMANDS.showRoutes, {})) {
      if (route.prefix === '10.0.0.9/32') break;
    }
    await until(() => progress.closed);
    expect(progress.produced).toBeLessThan(COUNT / 10);
    client.close();
  });
});

describe('watches', () => {
  test('begin with what is there if asked, go on with changes, end with the client', async () => {
    await using lab = await startControlLab();
    const client = await connectControl(lab.socket);
    const stop = new AbortController();
    const names: string[] = [];
    const watching = (async () => {
      for await (const { peer } of client.watch(COMMANDS.watchPeers, { includeCurrent: true }, stop.signal)) {
        names.push(`${peer.name} ${peer.state}`);
      }
    })();
    await until(() => names.length === 3);
    for (const listener of lab.speaker.peerListeners) {
      listener({ kind: 'peer', peer: fakePeer({ state: 'Idle' }) });
    }
    await until(() => names.length === 4);
    expect(names).toEqual(['tor-a Established', 'tor-b Active', '10.99.16.7 Idle', 'tor-a Idle']);
    expect(lab.speaker.peerListeners.size).toBe(1);
    stop.abort();
    await watching;
    await until(() => lab.speaker.peerListeners.size === 0);
    client.close();
  });

  test('that fall behind are told so and unsubscribed', async () => {
    await using lab = await startControlLab({ pump: { maxPending: 10 } });
    const client = await connectControl(lab.socket);
    const watch = client.watch(COMMANDS.watchRoutes, {}, new AbortController().signal);
    const first = watch.next().catch((error: unknown) => error);
    await until(() => lab.speaker.routeListeners.size === 1);
    for (const listener of lab.speaker.routeListeners) {
      for (let n = 0; n < 11; n++) {
        listener({ kind: 'route', family: 'ipv4-unicast', prefix: `10.0.0.${n}/32`, best: undefined });
      }
    }
    expect(await first).toMatchObject({ message: expect.stringContaining('more than 10 changes behind') });
    expect(lab.speaker.routeListeners.size).toBe(0);
    client.close();
  });

  test('that fall behind by what is there already are unsubscribed, too', async () => {
    await using lab = await startControlLab({ pump: { maxPending: 2 } });
    const client = await connectControl(lab.socket);
    const watch = client.watch(COMMANDS.watchPeers, { includeCurrent: true }, new AbortController().signal);
    await expect(watch.next()).rejects.toThrow('more than 2 changes behind');
    expect(lab.speaker.peerListeners.size).toBe(0);
    client.close();
  });

  test('end with the daemon', async () => {
    const lab = await startControlLab();
    const client = await connectControl(lab.socket);
    const watch = client.watch(COMMANDS.watchPeers, {}, new AbortController().signal);
    const first = watch.next().catch((error: unknown) => error);
    await until(() => lab.speaker.peerListeners.size === 1);
    await lab.stop();
    expect(await first).toBeInstanceOf(UnreachableError);
    expect(await first).toMatchObject({ message: expect.stringContaining('it is stopping') });
    client.close();
  });
});

describe('the socket', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'godwit-socket-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));
  const start = (socket: string, mode = 0o600) =>
    startControlServer({ api: new FakeSpeaker(), socket, mode, logger: silentLogger });

  test('has the mode that was asked for, in a directory that is made', async () => {
    const path = join(directory, 'made', 'deeper', 'g.sock');
    const server = await start(path, 0o640);
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    expect(await readdir(dirname(path))).toEqual(['g.sock']);
    await server.stop();
    expect(await readdir(dirname(path))).toEqual([]);
  });

  test('is not taken from a daemon that answers', async () => {
    const path = join(directory, 'live.sock');
    const server = await start(path);
    await expect(start(path)).rejects.toThrow(`Another daemon already answers on ${path}.`);
    expect(await probeSocket(path)).toBe('ok');
    await server.stop();
  });

  test('is taken over from a dead one', async () => {
    const path = join(directory, 'stale.sock');
    const dead = await leaveBehind(path);
    expect(await probeSocket(path)).toBe('ECONNREFUSED');
    const server = await start(path);
    expect(await probeSocket(path)).toBe('ok');
    await server.stop();
    dead.unref();
  });

  test('takes a number of connections at a time, and says so of the others', async () => {
    const path = join(directory, 'many.sock');
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (_fields: LogFields, text: string) => void warnings.push(text) };
    const server = await startControlServer({ api: new FakeSpeaker(), socket: path, mode: 0o600, logger });
    let refused = 0;
    const clients = Array.from({ length: 258 }, () => {
      const client = connect({ path });
      client.on('error', () => {});
      client.on('close', () => refused++);
      client.resume();
      return client;
    });
    await until(() => refused === 2);
    expect(warnings).toEqual(['control connections are refused: 256 are open']);
    for (const client of clients) client.destroy();
    await until(() => refused === clients.length);
    await server.stop();
  });

  test('never replaces a file or a link', async () => {
    const file = join(directory, 'precious');
    await writeFile(file, 'x');
    await expect(start(file)).rejects.toThrow(/exists and is no socket/);
    const link = join(directory, 'link');
    await symlink(file, link);
    await expect(start(link)).rejects.toThrow(SocketError);
    expect((await stat(file)).size).toBe(1);
  });

  test('a path that is too long is refused with a reason', async () => {
    await expect(start(join(directory, 'x'.repeat(100)))).rejects.toThrow(/too long for a unix socket/);
    expect((await readdir(directory)).filter((name) => name.startsWith('.g'))).toEqual([]);
  });

  test('stopping leaves alone what another daemon put there since', async () => {
    const path = join(directory, 'moved.sock');
    const first = await start(path);
    await rm(path);
    const second = await start(path);
    await first.stop();
    expect(await probeSocket(path)).toBe('ok');
    await second.stop();
  });

  test('is made again where it was deleted, and calls that are open go on', async () => {
    const path = join(directory, 'run', 'again.sock');
    const server = await start(path, 0o640);
    const client = await connectControl(path);
    const { ino } = await stat(path);
    await server.restore();
    expect((await stat(path)).ino).toBe(ino);

    await rm(dirname(path), { recursive: true });
    await Promise.all([server.restore(), server.restore()]);
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    expect(await readdir(dirname(path))).toEqual(['again.sock']);
    for (const each of [client, await connectControl(path)]) {
      expect((await each.unary(COMMANDS.status, {})).version).not.toBe('');
      each.close();
    }

    const dead = await leaveBehind(path);
    await server.restore();
    expect(await probeSocket(path)).toBe('ok');
    dead.unref();
    await rm(path);
    const other = await start(path);
    await expect(server.restore()).rejects.toThrow(`Another daemon already answers on ${path}.`);
    await server.stop();
    await server.restore();
    expect(await probeSocket(path)).toBe('ok');
    await other.stop();
    expect(await readdir(dirname(path))).toEqual([]);
  });

  test('listens no more where it cannot be put at its place', async () => {
    const listening = () => process.getActiveResourcesInfo().filter((each) => each === 'PipeWrap').length;
    const before = listening();
    // A mode that no file has stands for whatever fails by then.
    await expect(start(join(directory, 'unplaced.sock'), -1)).rejects.toThrow('mode');
    await turns(2);
    expect(listening()).toBe(before);
  });

  test('what a client is told when nobody answers', async () => {
    const missing = join(directory, 'none.sock');
    await expect(connectControl(missing)).rejects.toThrow(
      `There is no socket ${missing}. Is the daemon running (godwit run -c FILE)? ` +
        'If the daemon uses another socket, name it with --socket PATH or GODWIT_SOCKET.',
    );
    const path = join(directory, 'gone.sock');
    await leaveBehind(path);
    await expect(connectControl(path)).rejects.toThrow(/the daemon that made it is gone/);
    await expect(connectControl(join(directory, 'precious'))).rejects.toThrow(UnreachableError);
  });

  test.skipIf(process.getuid?.() === 0)('what a client is told that may not', async () => {
    const path = join(directory, 'private.sock');
    const server = await start(path);
    await chmod(path, 0);
    await expect(connectControl(path)).rejects.toThrow(/You may not use/);
    await server.stop();
  });
});

/** A socket file whose owner no longer listens, as after SIGKILL. */
async function leaveBehind(path: string): Promise<Server> {
  const elsewhere = `${path}.x`;
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(elsewhere, resolve));
  const { rename } = await import('node:fs/promises');
  await rename(elsewhere, path);
  await new Promise((resolve) => server.close(resolve));
  return server;
}
