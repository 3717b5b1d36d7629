// MRT files of messages and states: who writes what into which, and what becomes of a disk that is full.

import { describe, expect, it } from 'vitest';
import { decodeBgp4mp } from '../../../bench/mrt/bgp4mp.ts';
import { RecordCutter } from '../../../bench/mrt/records.ts';
import { IPV4_UNICAST } from '../../../src/bgp/wire/families.ts';
import { HEADER_LENGTH } from '../../../src/bgp/wire/header.ts';
import { MESSAGE_TYPE } from '../../../src/bgp/wire/iana.ts';
import { SimClock } from '../../../src/sim/clock.ts';
import type { DumpStore } from '../../../src/speaker/mrt-dumps.ts';
import { RecordFile } from '../../../src/speaker/trace/record-file.ts';
import { LineLog } from '../../support/line-log.ts';
import { SimLab } from '../../support/sim-lab.ts';

const OWN = '10.0.0.1';
const A = '10.0.0.2';

/** Files in memory, on a disk that may be full. */
class MemoryDisk implements DumpStore {
  readonly files = new Map<string, Buffer>();
  /** Octets; what is above is refused, behind what still fits. */
  room = Number.POSITIVE_INFINITY;
  handles = 0;

  create = async (): Promise<never> => {
    throw new Error('no tables are dumped here');
  };

  append = async (path: string) => {
    this.files.set(path, this.files.get(path) ?? Buffer.alloc(0));
    this.handles++;
    return {
      size: this.files.get(path)!.length,
      write: async (bytes: Uint8Array) => {
        const taken = bytes.subarray(0, Math.min(bytes.length, this.room));
        this.room -= taken.length;
        this.files.set(path, Buffer.concat([this.files.get(path)!, taken]));
        if (taken.length < bytes.length) throw new Error('ENOSPC: no space left on device');
      },
      truncate: async (size: number) => void this.files.set(path, this.files.get(path)!.subarray(0, size)),
      close: async () => void this.handles--,
    };
  };

  rename = async (from: string, to: string) => {
    this.files.set(to, this.files.get(from)!);
    this.files.delete(from);
  };

  /** `state 1>2` or `message TYPE` of each record. */
  records(path: string): string[] {
    const found: string[] = [];
    new RecordCutter().push(this.files.get(path) ?? Buffer.alloc(0), (record) => {
      decodeBgp4mp(record, {
        onMessage: ({ message }) => {
          const type = Object.entries(MESSAGE_TYPE).find(([, code]) => code === message[HEADER_LENGTH - 1]);
          found.push(`message ${type?.[0]}`);
        },
        onStateChange: ({ oldState, newState }) => found.push(`state ${oldState}>${newState}`),
      });
    });
    return found;
  }
}

const STATES = ['state 1>3', 'state 3>4', 'state 4>5', 'state 5>6'];
const MESSAGES = ['message open', 'message keepalive', 'message update'];
const BOTH = [
  'state 1>3',
  'state 3>4',
  'message open',
  'state 4>5',
  'message keepalive',
  'state 5>6',
  'message update',
];

function bird(all: string, own: string, channel = 'ipv4 { import all; export all; };'): string {
  return `router id ${OWN};
mrtdump "/dumps/m%.mrt";
${all}
protocol device { }
protocol bgp a { local ${OWN} as 65001; neighbor ${A} as 65002; passive; ${channel} ${own} }
`;
}

async function dumped(text: string, disk = new MemoryDisk()) {
  const lab = new SimLab();
  const speaker = lab.speaker('godwit', [OWN], text, { dumpStore: disk });
  await lab.start(1000);
  const a = lab.raw(A, { as: 65002, families: [IPV4_UNICAST], holdTime: 0 });
  await lab.connect(speaker, a);
  a.announce(['192.0.2.0/24'], { asPath: '65002' });
  await lab.run(1000);
  return { lab, speaker, a, disk };
}

const FILE = '/dumps/m%.mrt';

describe('mrtdump', () => {
  it.each([
    ['states', 'mrtdump protocols { states };', '', STATES],
    ['messages', '', 'mrtdump { messages };', MESSAGES],
    ['both', 'mrtdump protocols all;', '', BOTH],
    ['nothing where a protocol says so', 'mrtdump protocols all;', 'mrtdump off;', []],
    ['nothing where nothing is said', '', '', []],
  ])('writes %s', async (_name, all, own, expected) => {
    const { disk, speaker } = await dumped(bird(all, own));
    expect(disk.records(FILE)).toEqual(expected);
    expect(speaker.speaker.registry.get('a').peer.tape.full).toBe(expected.includes('message open'));
  });

  it('reads with 1.6 as with 2.x', async () => {
    const { disk } = await dumped(bird('mrtdump protocols all;', '', 'import all; export all;'));
    expect(disk.records(FILE)).toEqual(BOTH);
  });

  it('follows commands until the next configuration, and goes along with an upgrade', async () => {
    const { lab, speaker, a, disk } = await dumped(bird('', ''));
    speaker.api.bird.mrtdump(['a'], ['messages']);
    await speaker.upgrade();
    a.withdraw('192.0.2.0/24');
    await lab.run(1000);
    expect(disk.records(FILE)).toEqual(['message update']);
    await speaker.reload(bird('', ''));
    a.announce(['192.0.2.0/24'], { asPath: '65002' });
    await lab.run(1000);
    expect(disk.records(FILE)).toEqual(['message update']);
    expect(disk.handles).toBe(0);
  });

  it('goes on with a full disk: a line in the log, and whole records only', async () => {
    const disk = new MemoryDisk();
    disk.room = 100;
    const { lab, speaker, a } = await dumped(bird('mrtdump protocols all;', ''), disk);
    expect(
      speaker.log.filter((line) => line.includes('ENOSPC') || line.includes('cannot be written')),
    ).toEqual(['error messages cannot be written to /dumps/m%.mrt: they are dropped']);
    const before = disk.records(FILE);
    expect(BOTH.slice(0, before.length)).toEqual(before);
    expect(speaker.speaker.registry.get('a').peer.state).toBe('Established');
    disk.room = 10_000;
    await lab.run(6000);
    a.withdraw('192.0.2.0/24');
    await lab.run(1000);
    expect(disk.records(FILE)).toEqual([...before, 'message update']);
    expect(speaker.log.at(-1)).toBe('warn messages are written to /dumps/m%.mrt again; some are missing');
  });
});

describe('the native configuration', () => {
  const yaml = (mrt: string): string => `router: { asn: 65001, id: ${OWN} }
peers:
  - { name: a/1%, address: ${A}, asn: 65002, passive: true, import: accept, export: accept }
${mrt}
`;

  it('has files for peers, with what is wanted', async () => {
    const { disk } = await dumped(
      yaml('mrt: [{ file: /dumps/%N.mrt }, { file: /dumps/all, records: [states], peers: [a/1%] }]'),
    );
    expect(disk.records('/dumps/a_1%.mrt')).toEqual(BOTH);
    expect(disk.records('/dumps/all')).toEqual(STATES);
  });

  it('changes them, and no session', async () => {
    const { lab, a, speaker, disk } = await dumped(yaml(''));
    await speaker.reload(yaml('mrt: [{ file: /dumps/new, records: [messages] }]'));
    a.withdraw('192.0.2.0/24');
    await lab.run(1000);
    expect(disk.records('/dumps/new')).toEqual(['message update']);
    expect(speaker.speaker.registry.get('a/1%').peer.establishedCount).toBe(1);
    await speaker.reload(yaml(''));
    expect(disk.handles).toBe(0);
  });
});

describe('RecordFile', () => {
  const parts = (disk: MemoryDisk, clock: SimClock) => ({ store: disk, clock, log: new LineLog() });
  const settle = () => new Promise((resolve) => setImmediate(resolve));

  it('begins anew when it has its size', async () => {
    const disk = new MemoryDisk();
    const file = new RecordFile({ path: 'f', maxSize: 10 }, parts(disk, new SimClock()));
    for (const text of ['12345', '67890', 'abc', 'a record that is larger than the file']) {
      file.add(Buffer.from(text));
      await settle();
    }
    await file.close();
    expect(Object.fromEntries([...disk.files].map(([name, bytes]) => [name, String(bytes)]))).toEqual({
      f: 'a record that is larger than the file',
      'f.1': 'abc',
    });
    expect(disk.handles).toBe(0);
  });

  it('begins anew when it has its time, or another name', async () => {
    const disk = new MemoryDisk();
    const clock = new SimClock();
    const aged = new RecordFile({ path: 'f', maxAge: 60 }, parts(disk, clock));
    const named = new RecordFile({ path: 'n%M' }, parts(disk, clock));
    const names = new Set<string>();
    for (const text of ['a', 'b']) {
      for (const file of [aged, named]) file.add(Buffer.from(text));
      await settle();
      clock.advance(61_000);
      for (const name of disk.files.keys()) names.add(name);
    }
    await Promise.all([aged.close(), named.close()]);
    expect(String(disk.files.get('f.1'))).toBe('a');
    expect(String(disk.files.get('f'))).toBe('b');
    expect([...names].filter((name) => name.startsWith('n')).length).toBe(2);
  });
});
