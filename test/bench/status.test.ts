// Questions to a running daemon: BIRD's protocol on a socket that splits its replies anywhere, and the watch that times
// answers.

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BirdControl } from '../../bench/daemons/bird-control.ts';
import { StatusWatch } from '../../bench/status-watch.ts';
import { systemClock } from '../../src/lib/clock.ts';

const REPLY =
  '1000-BIRD 9.9\n1011-Router ID is 10.0.0.1\n Current server time is 1\n0013 Daemon is up and running\n';

describe("BIRD's control socket", () => {
  let directory = '';
  let server: Server;
  let commands: string[] = [];
  let answer: (socket: Socket) => void = () => {};

  beforeEach(async () => {
    commands = [];
    directory = await mkdtemp(join(tmpdir(), 'gw-test-ctl-'));
    server = createServer((socket) => {
      socket.write('0001 BIRD 9.9 ready.\n');
      socket.on('data', (text) => {
        commands.push(String(text));
        answer(socket);
      });
    });
    await new Promise<void>((resolve) => server.listen(join(directory, 'ctl'), resolve));
  });

  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve));
    await rm(directory, { recursive: true });
  });

  test.each([1, 7, 30, 1000])(
    'gives whole replies, however they come (%i octets at a time)',
    async (size) => {
      answer = (socket) => {
        const parts = REPLY.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g'))!;
        const next = (): void => {
          const part = parts.shift();
          if (part !== undefined) socket.write(part, () => setImmediate(next));
        };
        next();
      };
      const control = await BirdControl.open(join(directory, 'ctl'));
      expect(await control.ask('show status')).toBe(REPLY);
      expect(await control.ask('show status')).toBe(REPLY);
      expect(commands).toEqual(['show status\n', 'show status\n']);
      control.close();
    },
  );

  test('tells when the daemon hangs up', async () => {
    answer = (socket) => socket.destroy();
    const control = await BirdControl.open(join(directory, 'ctl'));
    await expect(control.ask('show status')).rejects.toThrow();
  });
});

describe('a status watch', () => {
  test('asks one question at a time and keeps every delay', async () => {
    let [open, asked] = [0, 0];
    const connection = {
      ask: async () => {
        expect(++open).toBe(1);
        asked++;
        await new Promise((resolve) => setImmediate(resolve));
        open--;
      },
      close: () => {},
    };
    const watch = new StatusWatch(connection, systemClock);
    while (asked < 3) await new Promise((resolve) => setImmediate(resolve));
    const latency = await watch.stop();
    expect(latency!.count).toBeGreaterThanOrEqual(asked);
    const after = asked;
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toBe(after);
  });

  test('tells when a question fails', async () => {
    const connection = { ask: () => Promise.reject(new Error('gone')), close: () => {} };
    await expect(new StatusWatch(connection, systemClock).stop()).rejects.toThrow('gone');
  });
});
