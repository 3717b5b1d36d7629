// `godwit peer NAME capture`: a file, lines for a person, JSON for a script, and following.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeKeepalive } from '../../src/bgp/wire/header.ts';
import type { MessageView } from '../../src/speaker/api/messages.ts';
import { type ControlLab, fakeTerminal, startControlLab } from '../support/control-lab.ts';
import { NOW } from '../support/fake-speaker.ts';
import { tcpStreams } from '../support/pcap.ts';

let lab: ControlLab;
let directory: string;
beforeEach(async () => {
  lab = await startControlLab();
  lab.speaker.messageViews = [fakeMessage(1, true), fakeMessage(2, false)];
  directory = mkdtempSync(join(tmpdir(), 'godwit-capture-'));
});
afterEach(async () => {
  await lab.stop();
  rmSync(directory, { recursive: true, force: true });
});

function fakeMessage(seq: number, sent: boolean): MessageView {
  return {
    seq,
    at: NOW + seq,
    sent,
    connection: 1,
    dialled: true,
    localAddress: '10.99.0.1',
    localPort: 40_000,
    remoteAddress: '10.99.0.2',
    remotePort: 179,
    octets: encodeKeepalive(),
  };
}

test('writes a file', async () => {
  const file = join(directory, 'out.pcap');
  expect(await lab.godwit(['peer', 'tor-a', 'capture', '-o', file])).toEqual({
    code: 0,
    err: '',
    out: `2 messages of tor-a are in ${file}.\n`,
  });
  const streams = tcpStreams(readFileSync(file));
  expect(streams.map(({ fromPort, toPort, bytes }) => [fromPort, toPort, bytes.length]).sort()).toEqual([
    [179, 40_000, 19],
    [40_000, 179, 19],
  ]);
});

test('shows lines', async () => {
  const { out } = await lab.godwit(['peer', 'tor-a', 'capture']);
  expect(out).toBe(
    '2026-03-01 12:00:00.001  #1 > KEEPALIVE     19 octets\n' +
      '2026-03-01 12:00:00.002  #1 < KEEPALIVE     19 octets\n',
  );
  const { out: json } = await lab.godwit(['show', 'messages', 'tor-a', '--json']);
  expect(JSON.parse(json.split('\n')[0]!)).toMatchObject({ seq: 1, octets: `${'ff'.repeat(16)}001304` });
});

test('a file that cannot be made, and a peer that is not there', async () => {
  const file = join(directory, 'none', 'out.pcap');
  expect(await lab.godwit(['peer', 'tor-a', 'capture', '-o', file])).toMatchObject({
    code: 1,
    err: expect.stringContaining('cannot be written'),
  });
  expect((await lab.godwit(['peer', 'nobody', 'capture'])).code).toBe(1);
});

test('follows, and the daemon records as long as that lasts', async () => {
  const file = join(directory, 'out.pcap');
  const terminal = fakeTerminal();
  const running = lab.godwit(['peer', 'tor-a', 'capture', '--follow', '-o', file], terminal);
  while (lab.speaker.messageListeners.size === 0) await new Promise((resolve) => setImmediate(resolve));
  for (const listener of lab.speaker.messageListeners) {
    listener(fakeMessage(3, true));
    listener(fakeMessage(4, true));
  }
  const size = (): number => {
    try {
      return tcpStreams(readFileSync(file)).reduce((sum, { bytes }) => sum + bytes.length, 0);
    } catch {
      return 0;
    }
  };
  while (size() < 4 * 19) await new Promise((resolve) => setImmediate(resolve));
  terminal.interruption.abort();
  expect(await running).toMatchObject({ code: 0, out: expect.stringContaining('4 messages of tor-a') });
  while (lab.speaker.messageListeners.size > 0) await new Promise((resolve) => setImmediate(resolve));
});

test('records without a follower, too', async () => {
  expect((await lab.godwit(['peer', 'tor-a', 'record'])).out).toBe(
    'Peer tor-a has every message recorded.\n',
  );
  await lab.godwit(['peer', 'tor-a', 'unrecord']);
  expect(lab.speaker.calls.slice(-2)).toEqual(['record tor-a', 'unrecord tor-a']);
});
