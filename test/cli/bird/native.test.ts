// The system's log, which a test plays on a socket of its own.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSyslog } from '../../../src/cli/bird/native.ts';
import { requireKoffi } from '../../../src/lib/koffi.ts';

const libc = process.platform === 'linux' ? requireKoffi()?.load(null) : undefined;
const NOW = new Date(2030, 0, 2, 3, 4, 5).getTime();

/** A log daemon; `read` says what it has got since, and undefined is nothing. */
function logDaemon(path: string) {
  const socket: number = libc?.func('int socket(int, int, int)')(1, 2, 0);
  const address = Buffer.alloc(110);
  address.writeUInt16LE(1);
  address.write(path, 2);
  expect(libc?.func('int bind(int, const void *, unsigned int)')(socket, address, address.length)).toBe(0);
  const receive = libc!.func('long recv(int, void *, size_t, int)');
  return {
    read(): string | undefined {
      const buffer = Buffer.alloc(2000);
      const length: number = receive(socket, buffer, buffer.length, 0x40);
      return length < 0 ? undefined : buffer.toString('utf8', 0, length);
    },
    close(): void {
      libc?.func('int close(int)')(socket);
      rmSync(path);
    },
  };
}

test.skipIf(libc === undefined)(
  'a system log that hangs costs lines and no time, and may come back',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'godwit-syslog-'));
    const path = join(directory, 'log');
    const write = await openSyslog({
      lossPriority: 28,
      lossName: 'bird',
      now: () => NOW,
      path,
      mostWaiting: 2000,
    });
    write(30, 'bird', 'nobody is there');
    const first = logDaemon(path);
    const head = `Jan  2 03:04:05 bird[${process.pid}]: `;
    write(30, 'bird', 'hello');
    expect(first.read()).toBe(`<28>${head}1 log lines were lost because nobody read them`);
    expect(first.read()).toBe(`<30>${head}hello`);

    // Its queue takes some of them, others wait, and the rest is lost.
    const count = 3000;
    for (let i = 0; i < count; i++) write(30, 'bird', `line ${i}`);
    const lines: string[] = [];
    while (!lines.at(-1)?.startsWith('<28>')) {
      const line = first.read();
      if (line === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
      else lines.push(line);
    }
    const loss = lines.pop();
    expect(lines).toEqual(lines.map((_, i) => `<30>${head}line ${i}`));
    expect(lines.length).toBeGreaterThan(2000 / `<30>${head}line 1000`.length);
    expect(loss).toBe(`<28>${head}${count - lines.length} log lines were lost because nobody read them`);
    write(27, 'router', 'again');
    expect(first.read()).toBe(`<27>${head.replace('bird', 'router')}again`);

    first.close();
    const second = logDaemon(path);
    write(30, 'bird', 'to the next one');
    expect(second.read()).toBe(`<30>${head}to the next one`);
    second.close();
    rmSync(directory, { recursive: true });
  },
);
