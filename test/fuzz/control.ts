// BIRD's control socket against operators and programs that send anything, in both dialects, to a speaker that has peers,
// tables, pipes and routes: every command is answered in the protocol's form and with words of the command's own, none
// fails unexpectedly, and the daemon does afterwards what it did before.

import type { Random } from '../../src/lib/clock.ts';
import { drawInteger, drawOne, drawTrue, seededRandom } from '../../src/sim/random.ts';
import { Talk } from '../control/bird/talk.ts';
import { LineLog } from '../support/line-log.ts';
import type { RawPeer } from '../support/raw-peer.ts';
import { SimLab, type SimSpeaker, simKernel } from '../support/sim-lab.ts';
import { drawBytes, join, mutateBytes, mutateText } from './mutate.ts';

const OWN = '10.0.0.1';
const [A, B] = ['10.0.0.2', '10.0.0.3'] as const;
const COMMANDS = 150;
/** Long enough for sessions that a command has reset. */
const QUIET_MS = 120_000;

type Dialect = '1.6' | '2.x';

interface Words {
  readonly file: string;
  readonly main: string;
  /** Commands that only this dialect has. */
  readonly more: readonly string[];
}

const FILTERS = `function far() { return bgp_path.len > 2; }
filter odd { if far() || net ~ [ 20.0.0.0/8+ ] then accept; bgp_community.add((1,2)); reject; }`;

const WORDS: Readonly<Record<Dialect, Words>> = {
  '1.6': {
    file: `router id ${OWN}; table blue; listen bgp port 179;
${FILTERS}
protocol device {}
protocol direct { interface "eth*"; }
protocol kernel { import none; export all; }
protocol kernel k2 { kernel table 100; table blue; import none; export all; }
protocol pipe p1 { table master; peer table blue; export filter odd; import none; }
protocol pipe p2 { table blue; peer table master; mode opaque; export none; import none; }
protocol static s1 { route 10.9.0.0/16 blackhole; route 10.8.0.0/16 via ${A}; }
protocol bgp a { local as 65000; neighbor ${A} as 65001; passive; import all; export all; }
protocol bgp b { local as 65000; neighbor ${B} as 65000; passive; rr client; import filter odd; export all; }`,
    main: 'master',
    more: ['show route table master primary', 'show roa', 'add roa 10.0.0.0/8 max 24 as 1', 'flush roa'],
  },
  '2.x': {
    file: `router id ${OWN}; ipv4 table blue; ipv6 table violet; roa4 table r4;
${FILTERS}
protocol device {}
protocol direct { ipv4; interface "eth*"; }
protocol kernel { ipv4 { export all; }; }
protocol kernel k2 { kernel table 100; ipv4 { table blue; export all; }; }
protocol pipe p1 { table master4; peer table blue; export filter odd; import none; }
protocol static s1 { ipv4; route 10.9.0.0/16 blackhole; route 10.8.0.0/16 via ${A}; }
protocol static s2 { ipv6 { table violet; }; route 2001:db8::/32 unreachable; }
protocol static s3 { roa4 { table r4; }; route 20.0.0.0/8 max 24 as 65001; }
protocol bgp a { local as 65000; neighbor ${A} as 65001; passive; ipv4 { import all; export all; }; }
protocol bgp b { local as 65000; neighbor ${B} as 65000; passive; rr client; ipv4 { import filter odd; export all; }; }`,
    main: 'master4',
    more: [
      'show route table all',
      'show route in 20.0.0.0/8 all',
      'show route table r4',
      'reload filters all',
    ],
  },
};

const PLAIN = [
  'show status',
  'show memory',
  'show interfaces',
  'show interfaces summary',
  'show symbols',
  'show symbols filter',
  'show static',
  'show bfd sessions',
  'show protocols',
  'show protocols all a',
  'show protocols all "p*"',
  'configure',
  'configure soft',
  'configure check "bird.conf"',
  'configure timeout 30',
  'configure confirm',
  'configure undo',
  'configure status',
  'disable a "why not"',
  'enable a',
  'enable all',
  'restart b',
  'reload a',
  'reload in all',
  'reload out "*"',
  'graceful restart',
  'debug all all',
  'debug a { states, routes }',
  'mrtdump all off',
  'dump resources',
  'echo all',
  'echo { warning, error } 100',
  'echo off',
  'eval 1 + 2',
  'eval 10.0.0.0/8 ~ [ 10.0.0.0/8+ ]',
  'eval far()',
  'restrict',
  'down',
  'help',
  '?',
  'help show route',
  'show',
  'show route ?',
  'quit',
] as const;

/** Selectors of `show route`, as they may stand behind each other. */
const SELECTORS = [
  'all',
  'primary',
  'filtered',
  'noexport a',
  'export b',
  'preexport b',
  'exported a',
  'protocol a',
  'protocol s1',
  'table blue',
  'table MAIN',
  'for 20.1.2.3',
  'for 10.9.0.0/24',
  '20.0.0.0/8',
  '192.0.2.1',
  'filter odd',
  'filter { if bgp_path ~ [= * 65001 =] then accept; }',
  'where bgp_path.len = 1',
  'where far() && source = RTS_BGP',
  'where net ~ [ 20.0.0.0/7{8,24} ]',
  'where (65001,1) ~ bgp_community',
  'stats',
  'count',
] as const;

interface Round {
  /** Commands. */
  readonly messages: number;
  readonly broken: readonly string[];
}

function drawCommand(random: Random, { main, more }: Words): string {
  if (drawTrue(random, 0.5)) return drawOne(random, [...PLAIN, ...more]);
  const count = drawInteger(random, 0, 3);
  const selectors = Array.from({ length: count }, () => drawOne(random, SELECTORS));
  return ['show route', ...selectors].join(' ').replaceAll('MAIN', main);
}

/** As it is sent: as it is, with other words, or with other octets. */
function drawLine(random: Random, words: Words): Uint8Array {
  const command = drawCommand(random, words);
  const changed = drawTrue(random, 0.6) ? mutateText(random, command, drawCommand(random, words)) : command;
  const octets = Buffer.from(`${changed}\n`);
  if (drawTrue(random, 0.9)) return octets;
  return join(mutateBytes(random, octets, drawBytes(random, 30)), Buffer.from('\n'));
}

interface Scene {
  readonly lab: SimLab;
  readonly speaker: SimSpeaker;
  readonly peers: readonly [RawPeer, RawPeer];
}

async function scene(dialect: Dialect): Promise<Scene> {
  const lab = new SimLab();
  const speaker = lab.speaker('own', [OWN], WORDS[dialect].file, { kernel: simKernel(`eth0 ${OWN}/24`) });
  const peers = [lab.raw(A, { as: 65001, holdTime: 0 }), lab.raw(B, { as: 65000, holdTime: 0 })] as const;
  await lab.start(1000);
  const made: Scene = { lab, speaker, peers: [...peers] };
  await comeBack(made);
  return made;
}

/** Peers whose session a command has ended are there again, with their routes. */
async function comeBack({ lab, speaker, peers }: Scene): Promise<void> {
  const down = peers.filter(({ address }) => {
    return speaker.api.peers().some((peer) => peer.address === address && peer.state === 'Active');
  });
  await lab.connect(speaker, ...down);
  const [a, b] = peers;
  for (let i = 0; i < 40 && down.includes(a); i++) {
    const attributes = { asPath: `65001 ${i + 1} {7 8} 9`, communities: ['65001:1'], med: i };
    a.announce([`20.${i}.0.0/16`], i % 2 === 0 ? attributes : {});
  }
  const reflected = { clusterList: ['1.2.3.4'], originatorId: '1.2.3.5' };
  if (down.includes(b)) b.announce(['20.1.0.0/16', '21.0.0.0/8'], reflected);
  await lab.settle();
}

/** All that comes, the end of a reply included. */
async function answerOf(talk: Talk, lab: SimLab): Promise<string[]> {
  const lines: string[] = [];
  for (let i = 0; i < PATIENCE && !talk.ended; i++) {
    await lab.settle();
    lines.push(...talk.take());
    if (lines.some((line) => LAST.test(line))) break;
    // A new configuration takes its time.
    await lab.run(50);
  }
  return lines;
}

const LAST = /^\d{4} /;
const PATIENCE = 40;
const WELL_FORMED = /^(\d{4}[ -].*|[ +].*)$/s;

/** One crowd of clients, one after the other. */
export async function controlRound(seed: number): Promise<Round> {
  const random = seededRandom(seed);
  const dialect = seed % 2 === 0 ? '1.6' : '2.x';
  const words = WORDS[dialect];
  const world = await scene(dialect);
  const { lab, speaker } = world;
  const broken: string[] = [];
  const log = new LineLog();
  const newTalk = (): Talk => {
    const talk = new Talk({
      api: speaker.api,
      style: dialect === '1.6' ? 'bird1' : 'bird2',
      clock: lab.clock,
      restricted: drawTrue(random, 0.1),
      logger: log,
      pass: () => lab.settle(),
    });
    // The greeting.
    talk.take();
    return talk;
  };
  let talk = newTalk();
  let commands = 0;
  for (; commands < COMMANDS && broken.length === 0; commands++) {
    const line = drawLine(random, words);
    const complain = (what: string) =>
      broken.push(`${what} after ${JSON.stringify(Buffer.from(line).toString())}`);
    const cut = drawInteger(random, 0, line.length);
    talk.session.receive(line.subarray(0, cut));
    talk.session.receive(line.subarray(cut));
    const answer = await answerOf(talk, lab);
    for (const each of answer) {
      if (!WELL_FORMED.test(each)) complain(`the line ${JSON.stringify(each)}`);
      if (/failed unexpectedly/.test(each)) complain(each);
    }
    if (!answer.some((each) => LAST.test(each)) && !talk.ended) complain('no answer');
    await lab.run(drawInteger(random, 1, 200));
    if (drawTrue(random, 0.05)) {
      for (const { name } of speaker.api.peers()) speaker.api.peerUp(name);
      await lab.run(2000);
      await comeBack(world);
    }
    if (talk.ended) talk = newTalk();
  }
  for (const line of log.lines) if (line.startsWith('error')) broken.push(line);
  if (broken.length > 0) return { messages: commands, broken };
  // Nothing was lost that a command has not taken, and it comes back.
  talk = newTalk();
  await talk.ask('enable all');
  await lab.run(QUIET_MS);
  const status = await talk.ask('show status');
  if (!status.some((line) => line.startsWith('0013 '))) broken.push(`show status: ${status.join(' | ')}`);
  const routes = await talk.ask(`show route table ${words.main} 10.9.0.0/16`);
  if (!routes.some((line) => line.includes('blackhole'))) broken.push(`routes: ${routes.join(' | ')}`);
  for (const line of speaker.log) if (line.startsWith('error')) broken.push(line);
  return { messages: commands, broken };
}
