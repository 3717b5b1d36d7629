// Captures that tshark reads as BGP: a session on a simulated network, taped, written, and decoded by somebody else.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeNotification, encodeShutdownText } from '../../src/bgp/wire/notification.ts';
import { conversationOf } from '../../src/cli/capture.ts';
import { PcapWriter } from '../../src/lib/pcap.ts';
import { messageView } from '../../src/speaker/views/message-view.ts';
import { message, World } from '../bgp/session/harness.ts';
import { skipWithout } from '../support/lab/requirement.ts';

const tshark = (...words: string[]) => spawnSync('tshark', words, { encoding: 'utf8' });
const missing = tshark('--version').status === 0 ? undefined : 'tshark (package tshark)';
const directory = mkdtempSync(join(tmpdir(), 'godwit-capture-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** 192.0.2.0/24 from AS 64512 by 10.0.0.2, and as many prefixes as fill the message. */
function update(prefixes: number): Uint8Array {
  const attributes = [0x40, 1, 1, 0, 0x40, 2, 6, 2, 1, 0, 0, 0xfc, 0, 0x40, 3, 4, 10, 0, 0, 2];
  const nlri = Array.from({ length: prefixes }, (_, i) => [24, 192, i >> 8, i & 0xff]).flat();
  return message('update', [0, 0, 0, attributes.length, ...attributes, ...nlri]);
}

/** The whole life of a session; returns the capture's path. */
function captured(local: string, remote: string): string {
  const world = new World();
  const raw = world.raw(remote);
  const { peer, events } = world.speaker(local).peer(remote, { passive: true });
  peer.start();
  world.clock.advance(10);
  const connection = raw.dial(local);
  world.clock.advance(10);
  connection.open({
    capabilities: [{ kind: 'extended-message' }, { kind: 'four-octet-as', as: 64512 }],
  });
  world.clock.advance(10);
  connection.keepalive();
  world.clock.advance(10);
  peer.tape.record(true);
  connection.send(update(1));
  world.clock.advance(10);
  events.session?.send([update(3)]);
  // As large as tshark knows messages to be.
  connection.send(update(1000));
  world.clock.advance(10);
  connection.send(encodeNotification(6, 2, encodeShutdownText('rack move')));
  world.clock.advance(10);
  const writer = new PcapWriter();
  const parts = [writer.header()];
  for (const view of peer.tape.messages.map(messageView)) {
    parts.push(writer.message(conversationOf(view), view.sent === view.dialled, view.octets, view.at));
  }
  const path = join(directory, `${local.replaceAll(/[^0-9a-f]/g, '-')}.pcap`);
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

describe.skipIf(skipWithout(missing))('tshark reads a capture', () => {
  it.each([
    ['10.0.0.1', '10.0.0.2', 'ip'],
    ['2001:db8::1', '2001:db8::2', 'ipv6'],
  ])('%s', (local, remote, ip) => {
    const path = captured(local, remote);
    const fields = [`${ip}.src`, 'tcp.dstport', 'bgp.type', 'bgp.notify.communication'];
    const checks = ['-o', 'ip.check_checksum:TRUE', '-o', 'tcp.check_checksum:TRUE'];
    const names = fields.flatMap((field) => ['-e', field]);
    const run = tshark('-r', path, ...checks, '-Y', 'bgp', '-T', 'fields', '-E', 'separator=|', ...names);
    expect([
      run.status,
      run.stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/\|(?!179)\d{4,5}\|/, '|client|')),
    ]).toEqual([
      0,
      [
        `${local}|client|1|`,
        `${remote}|179|1|`,
        `${local}|client|4|`,
        `${remote}|179|4|`,
        `${remote}|179|2|`,
        `${local}|client|2|`,
        `${remote}|179|2|`,
        `${remote}|179|3|rack move`,
      ],
    ]);
    // Nothing that tshark finds fault with: checksums, sequence numbers, malformed messages.
    const faults =
      'tcp.analysis.flags or _ws.malformed or ip.checksum.status == "Bad" or tcp.checksum.status == "Bad"';
    expect(tshark('-r', path, ...checks, '-Y', faults).stdout).toBe('');
    const prefixes = tshark(
      '-r',
      path,
      '-Y',
      'bgp.type == 2',
      '-T',
      'fields',
      '-e',
      'bgp.nlri_prefix',
    ).stdout;
    expect(prefixes.split(/[\s,]+/).filter((text) => text !== '')).toHaveLength(1004);
  });
});
