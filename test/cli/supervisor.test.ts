// What the service manager hears, with a clock and a socket of the test's, and over a real one.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import koffi from 'koffi';
import { describe, expect, test } from 'vitest';
import { createSupervisor } from '../../src/cli/supervisor.ts';
import { openNotify } from '../../src/cli/supervisor-socket.ts';
import { ManualClock } from '../bench/manual-clock.ts';

function bench(env: Record<string, string>) {
  const clock = new ManualClock();
  const heard: string[] = [];
  const opened: string[] = [];
  const supervisor = createSupervisor({
    env,
    pid: 7,
    clock,
    open: (path) => {
      opened.push(path);
      return (message) => void heard.push(message);
    },
    monotonic: () => 42n,
  });
  return { clock, heard, opened, supervisor };
}

const SOCKET = { NOTIFY_SOCKET: '/run/notify' };

describe('the service manager', () => {
  test('hears the stages of a life', () => {
    const { heard, opened, supervisor } = bench(SOCKET);
    supervisor?.ready();
    supervisor?.reloading();
    supervisor?.ready();
    supervisor?.stopping();
    supervisor?.stop();
    expect(opened).toEqual(['/run/notify']);
    expect(heard).toEqual(['READY=1', 'RELOADING=1\nMONOTONIC_USEC=42', 'READY=1', 'STOPPING=1']);
  });

  test('waits longer for a stop that takes longer', () => {
    const { heard, supervisor } = bench(SOCKET);
    supervisor?.stopping(90_000);
    expect(heard).toEqual(['STOPPING=1\nEXTEND_TIMEOUT_USEC=90000000']);
  });

  test('gets signs of life twice in its time, from ready to the end', () => {
    const { clock, heard, supervisor } = bench({ ...SOCKET, WATCHDOG_USEC: '3000000', WATCHDOG_PID: '7' });
    clock.advance(10_000);
    expect(heard).toEqual([]);
    supervisor?.ready();
    supervisor?.ready();
    clock.advance(4500);
    expect(heard.filter((each) => each === 'WATCHDOG=1')).toHaveLength(4);
    supervisor?.stop();
    clock.advance(10_000);
    expect(heard.filter((each) => each === 'WATCHDOG=1')).toHaveLength(4);
  });

  test.each([
    {},
    { WATCHDOG_USEC: '0' },
    { WATCHDOG_USEC: 'x' },
    { WATCHDOG_USEC: '1000', WATCHDOG_PID: '8' },
  ])('gets none where it wants none: %j', (env) => {
    const { clock, heard, supervisor } = bench({ ...SOCKET, ...env });
    supervisor?.ready();
    clock.advance(10_000);
    expect(heard).toEqual(['READY=1']);
  });

  test('is not there', () => {
    expect(bench({}).supervisor).toBeUndefined();
    expect(bench({ NOTIFY_SOCKET: '' }).supervisor).toBeUndefined();
  });
});

describe.skipIf(process.platform !== 'linux')('its socket', () => {
  const libc = koffi.load(null);
  const socket = libc.func('int socket(int, int, int)');
  const bind = libc.func('int bind(int, const void *, uint32_t)');
  const recv = libc.func('long recv(int, void *, size_t, int)');
  const close = libc.func('int close(int)');
  const DONT_WAIT = 0x40;

  const hear = (name: Uint8Array, path: string): string => {
    const fd = socket(1, 2, 0);
    try {
      expect(bind(fd, Buffer.concat([Buffer.of(1, 0), name]), 2 + name.length)).toBe(0);
      openNotify(path)?.('READY=1');
      const buffer = Buffer.alloc(100);
      return buffer.subarray(0, Number(recv(fd, buffer, buffer.length, DONT_WAIT))).toString();
    } finally {
      close(fd);
    }
  };

  test('has a path, or a name in the abstract namespace', () => {
    const directory = mkdtempSync(join(tmpdir(), 'godwit-notify-'));
    const path = join(directory, 's');
    expect(hear(Buffer.from(path), path)).toBe('READY=1');
    rmSync(directory, { recursive: true });
    const name = `godwit-test-${process.pid}`;
    expect(hear(Buffer.from(`\0${name}`), `@${name}`)).toBe('READY=1');
  });

  test('may be gone, and no path at all', () => {
    openNotify('/no/such/socket')?.('READY=1');
    expect(openNotify('x'.repeat(109))).toBeUndefined();
    expect(openNotify('')).toBeUndefined();
  });
});
