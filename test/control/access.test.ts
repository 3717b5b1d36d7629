// Who is let in at the control sockets: by users and groups that the kernel names, for looking or for everything.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { SocketAccess } from '../../src/config/model.ts';
import { createDoorkeeper } from '../../src/control/access.ts';
import { startBirdControl } from '../../src/control/bird/server.ts';
import { COMMANDS } from '../../src/control/commands.ts';
import { connectControl } from '../../src/control/grpc/client.ts';
import { startControlServer } from '../../src/control/grpc/server.ts';
import { type Credentials, loadCredentials } from '../../src/control/peer-credentials.ts';
import { type LogFields, type Logger, silentLogger } from '../../src/lib/log.ts';
import { FakeSpeaker } from '../support/fake-speaker.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'godwit-access-'));
  cleanups.push(() => rmSync(path, { recursive: true }));
  return path;
}

function recorder() {
  const lines: { fields: LogFields; message: string }[] = [];
  const logger: Logger = { ...silentLogger, warn: (fields, message) => void lines.push({ fields, message }) };
  return { lines, logger };
}

const SOMEBODY = 4711;
const ask = (who: Partial<Credentials>) => () => ({ pid: 1, uid: SOMEBODY, groups: [100], ...who });

function admit(access: SocketAccess, who: Partial<Credentials> = {}): string {
  return createDoorkeeper('/x', access, silentLogger, ask(who)).admit(new Socket());
}

describe('the rules', () => {
  test.each<[SocketAccess, Partial<Credentials>, string]>([
    [{}, {}, 'all'],
    [{ restricted: true }, {}, 'read'],
    [{ restricted: true }, { uid: 0 }, 'read'],
    [{ allow: [] }, {}, 'none'],
    [{ allow: [] }, { uid: 0 }, 'all'],
    [{ allow: [] }, { uid: process.geteuid!() }, 'all'],
    [{ allow: ['4711'] }, {}, 'all'],
    [{ allow: ['4712'] }, {}, 'none'],
    [{ allow: ['@100'] }, {}, 'all'],
    [{ allow: ['@100'] }, { groups: [1, 2, 100] }, 'all'],
    [{ allow: ['@100'] }, { groups: [1, 2] }, 'none'],
    // A group is no user of the same number.
    [{ allow: ['@4711', '100'] }, {}, 'none'],
    [{ allowChanges: ['4711'] }, {}, 'all'],
    [{ allowChanges: ['root'] }, {}, 'read'],
    [{ allow: ['@100'], allowChanges: ['root'] }, {}, 'read'],
    // Who may change something may also look.
    [{ allow: ['root'], allowChanges: ['4711'] }, {}, 'all'],
    [{ allow: ['4711'], restricted: true }, {}, 'read'],
  ])('%j for %j: %s', (access, who, granted) => {
    expect(admit(access, who)).toBe(granted);
  });

  test('nobody unknown is let in by name, and nobody who cannot be told', () => {
    expect(() => admit({ allow: ['nobody-like-this'] })).toThrow('There is no user nobody-like-this');
    expect(() => admit({ allowChanges: ['@no-such-group'] })).toThrow('There is no group @no-such-group');
    const { lines, logger } = recorder();
    const doorkeeper = createDoorkeeper('/x', { allow: ['4711'] }, logger, () => undefined);
    expect(doorkeeper.admit(new Socket())).toBe('none');
    expect(lines).toHaveLength(1);
  });

  test('others from now on; wrong ones leave the old', () => {
    const doorkeeper = createDoorkeeper('/x', { allow: [] }, silentLogger, ask({}));
    doorkeeper.use({ allow: ['4711'] });
    expect(doorkeeper.admit(new Socket())).toBe('all');
    expect(() => doorkeeper.use({ allow: ['nobody-like-this'] })).toThrow('There is no user');
    expect(doorkeeper.admit(new Socket())).toBe('all');
  });
});

describe.skipIf(loadCredentials() === undefined)('the kernel', () => {
  const whoConnects = async (come: (path: string) => void): Promise<Credentials | undefined> => {
    const path = join(directory(), 's');
    const asked = new Promise<Credentials | undefined>((resolve) => {
      const server = createServer((socket) => {
        resolve(loadCredentials()!(socket));
        socket.destroy();
      });
      cleanups.push(() => new Promise<void>((closed) => server.close(() => closed())));
      server.listen(path, () => come(path));
    });
    return asked;
  };

  test('says who we are', async () => {
    const who = await whoConnects((path) => {
      const socket = connect(path);
      socket.on('error', () => {});
      cleanups.push(() => void socket.destroy());
    });
    expect(who).toMatchObject({ pid: process.pid, uid: process.geteuid!() });
    const groups = new Set([process.getegid!(), ...process.getgroups!()]);
    expect(new Set(who?.groups)).toEqual(groups);
  });
});

describe('the gRPC socket', () => {
  const start = async (access: SocketAccess, who: Partial<Credentials> = {}) => {
    const socket = join(directory(), 'godwit.sock');
    const { lines, logger } = recorder();
    const api = new FakeSpeaker();
    const options = { api, socket, mode: 0o600, access, logger, askCredentials: ask(who) };
    const server = await startControlServer(options);
    cleanups.push(() => server.stop());
    const client = await connectControl(socket);
    cleanups.push(() => client.close());
    return { client, lines, server, socket };
  };

  test('lets those look who may look, and change nothing', async () => {
    const { client, lines } = await start({ allowChanges: ['root'] });
    expect(await client.unary(COMMANDS.status, {})).toMatchObject({ version: expect.any(String) });
    await expect(client.unary(COMMANDS.reload, {})).rejects.toThrow('reload is not for you here');
    await expect(client.unary(COMMANDS.impact, { file: '/etc/shadow' })).rejects.toThrow('not for you here');
    expect(lines.map(({ message }) => message)).toContain('a command is refused: its sender may only look');
  });

  test('every command is for looking or for changing, by intention', () => {
    const looks = Object.values(COMMANDS)
      .filter(({ kind, method }) => kind !== 'unary' || /^(Get|List|Explain)/.test(method))
      .map(({ name }) => name);
    for (const name of ['peer', 'drain', 'network add', 'network del', 'impact', 'reload']) {
      expect(looks).not.toContain(name);
    }
  });

  test('lets others do everything, or nothing', async () => {
    const { client } = await start({ allow: ['4711'] });
    expect(await client.unary(COMMANDS.reload, {})).toMatchObject({ changes: expect.any(Array) });
    const refused = await start({ allow: ['4712'] });
    await expect(refused.client.unary(COMMANDS.status, {})).rejects.toThrow(/does not let this user in/);
    expect(refused.lines).toContainEqual({
      fields: { socket: refused.socket, uid: SOMEBODY, pid: 1 },
      message: 'a control connection is refused: user 4711 is not in allow',
    });
    refused.server.useAccess({ allow: ['4711'] });
    const later = await connectControl(refused.socket);
    cleanups.push(() => later.close());
    expect(await later.unary(COMMANDS.status, {})).toMatchObject({ version: expect.any(String) });
  });

  test.skipIf(process.geteuid?.() !== 0)('belongs to whom it is given', async () => {
    const { socket } = await start({ owner: '4711', group: '4712' });
    const { uid, gid, mode } = statSync(socket);
    expect([uid, gid, mode & 0o777]).toEqual([4711, 4712, 0o600]);
  });

  test('is not made for an owner that does not exist', async () => {
    await expect(start({ owner: 'nobody-like-this' })).rejects.toThrow('There is no user nobody-like-this');
  });
});

describe("BIRD's socket", () => {
  const say = async (who: Partial<Credentials>, access: SocketAccess, words: string): Promise<string> => {
    const socket = join(directory(), 'bird.ctl');
    const { logger } = recorder();
    const common = { api: new FakeSpeaker(), socket, mode: 0o600, style: 'bird2', logger } as const;
    const server = await startBirdControl({
      ...common,
      restricted: access.restricted ?? false,
      access,
      askCredentials: ask(who),
      shutdown: () => {},
    });
    cleanups.push(() => server.stop());
    return new Promise((resolve, reject) => {
      let heard = '';
      const client = connect(socket, () => client.end(`${words}\n`));
      client.on('data', (chunk) => {
        heard += String(chunk);
      });
      client.on('error', reject);
      client.on('close', () => resolve(heard));
    });
  };

  test('answers strangers with one line', async () => {
    expect(await say({}, { allow: ['4712'] }, 'show status')).toBe('8007 Access denied\n');
  });

  test('lets those look who may look', async () => {
    const access = { allow: ['@100'], allowChanges: ['4712'] };
    expect(await say({}, access, 'configure')).toMatch(/^0001 BIRD .* ready\.\n8007 Access denied\n$/);
    expect(await say({}, access, 'show status')).toMatch(/\n1000-?/);
    expect(await say({ uid: 4712 }, access, 'configure')).not.toContain('8007');
  });
});

describe.skipIf(process.geteuid?.() !== 0 || spawnSync('setpriv', ['--version']).status !== 0)(
  'another user',
  () => {
    test('is known by user and supplementary group', async () => {
      const home = directory();
      const socket = join(home, 'godwit.sock');
      spawnSync('chmod', ['755', home]);
      const { lines, logger } = recorder();
      const server = await startControlServer({
        api: new FakeSpeaker(),
        socket,
        mode: 0o666,
        access: { allow: ['@4713'] },
        logger,
      });
      cleanups.push(() => server.stop());
      const knock = (groups: string) =>
        new Promise<void>((resolve) => {
          // Who is let in is greeted with HTTP/2's settings, who is not is hung up on.
          const script = `const end = () => process.exit();
            require('net').connect(${JSON.stringify(socket)}).on('data', end).on('close', end).on('error', end)`;
          spawn('setpriv', [
            '--reuid=4711',
            '--regid=4712',
            `--groups=${groups}`,
            process.execPath,
            '-e',
            script,
          ]).on('exit', () => resolve());
        });
      await knock('4713');
      expect(lines).toEqual([]);
      await knock('4714');
      expect(lines.map(({ fields }) => fields['uid'])).toEqual([4711]);
    });
  },
);
