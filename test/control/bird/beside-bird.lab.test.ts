// The same questions to a real BIRD and to a speaker with the same configuration: replies must be the same, but for
// times, sizes, and what is said here with its reason. The daemon has neither kernel protocol nor peers that answer.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadBird } from '../../../src/config/bird/load.ts';
import { silentLogger } from '../../../src/lib/log.ts';
import { Scheduler } from '../../../src/lib/scheduler.ts';
import { Speaker } from '../../../src/speaker/speaker.ts';
import { createApi } from '../../../src/speaker/speaker-api.ts';
import { birdCommand, missingBird } from '../../support/lab/bird-process.ts';
import { skipWithout } from '../../support/lab/requirement.ts';
import { SimLab, simKernel } from '../../support/sim-lab.ts';
import { normalize } from './recorded.ts';
import { Talk } from './talk.ts';

const CONFIGS = {
  '2.x': `router id 10.0.0.1;
hostname "h1";
log stderr all;
ipv4 table t_aux;
roa4 table r4;
define MYAS = 64512;
filter f1 { accept; }
function fu() { return true; }
protocol device {}
protocol direct { disabled; ipv4; }
protocol static s1 { ipv4; route 10.99.0.0/16 blackhole; route 10.98.0.0/16 unreachable; route 10.97.0.0/16 prohibit; route 10.95.0.0/16 blackhole { bgp_med = 5; bgp_community.add((1,2)); bgp_large_community.add((1,2,3)); }; }
protocol static s2 { ipv4 { table t_aux; }; }
protocol static s4 { disabled; ipv4; route 10.94.0.0/16 blackhole; }
protocol static s3 { roa4; route 10.0.0.0/8 max 24 as 65000; route 11.0.0.0/8 max 8 as 0; }
protocol bgp b1 { multihop; local port 17991 as MYAS; passive; neighbor 10.255.255.2 as 64513; ipv4 { import all; export all; }; }
template bgp tt { local as MYAS; }
`,
  '1.6': `router id 10.0.0.1;
log stderr all;
table t_aux;
roa table r4 { roa 10.0.0.0/8 max 24 as 65000; roa 11.0.0.0/8 max 8 as 0; };
define MYAS = 64512;
filter f1 { accept; }
function fu() { return true; }
protocol device {}
protocol direct { disabled; }
protocol static s1 { route 10.99.0.0/16 blackhole; route 10.98.0.0/16 unreachable; route 10.97.0.0/16 prohibit; route 10.95.0.0/16 blackhole { bgp_med = 5; bgp_community.add((1,2)); bgp_large_community.add((1,2,3)); }; }
protocol static s2 { table t_aux; }
protocol static s4 { disabled; route 10.94.0.0/16 blackhole; }
template bgp tt { local as MYAS; }
`,
} as const;

/** Of both dialects. */
const COMMANDS = [
  'show route where roa_check(r4, 11.0.0.0/8, 0) = ROA_INVALID count',
  'eval roa_check(r4, 10.0.0.0/8, 65000)',
  'eval roa_check(r4, 10.1.0.0/24, 65000)',
  'eval roa_check(r4, 10.1.0.0/25, 65000)',
  'eval roa_check(r4, 10.1.0.0/24, 65001)',
  'eval roa_check(r4, 12.0.0.0/8, 65000)',
  'eval roa_check(r4, 11.0.0.0/8, 0)',
  'eval roa_check(r4, 0.0.0.0/0, 65000)',
  'show',
  'show status',
  'show status x',
  'show memory x',
  'show protocols',
  'show protocols all s1',
  'show protocols all nosuch',
  'show protocols s1 x',
  'show protocols 5',
  'show protocols "x*"',
  'show protocols "s*"',
  'show protocols tt',
  'show interfaces x',
  'show interfaces summary x',
  'show route',
  'show route all',
  'show route table',
  'show route table t_aux',
  'show route table s1',
  'show route table nosuch',
  'show route for',
  'show route for bogus',
  'show route for 10.99.1.1',
  'show route for 10.99.1.0/24',
  'show route for 9.9.9.9',
  'show route 10.99.0.0/16',
  'show route 10.99.0.0/17',
  'show route 10.99.1.1',
  'show route 10.99.0.1/33',
  'show route 10.99.0.1/8',
  'show route 10.99.0.0/16 10.98.0.0/16',
  'show route 1.2.3',
  'show route bogus',
  'show route primary primary',
  'show route protocol',
  'show route protocol s1',
  'show route protocol nosuch',
  'show route protocol s1 protocol s2',
  'show route export',
  'show route export nosuch',
  'show route export device1',
  'show route preexport s1 noexport s1',
  'show route where net ~ 10.99.0.0/16 all',
  'show route all where net ~ 10.99.0.0/16 primary',
  'show route where net ~ [10.96.0.0/14+] count',
  'show route filter f1',
  'show route filter { accept; }',
  'show route filter { reject; }',
  'show route filter { if net = 10.98.0.0/16 then accept; reject; } stats',
  'show route count',
  'show route stats',
  'show route count stats',
  'show route stats count',
  'show route filtered',
  'show route table t_aux count',
  'show route 10.95.0.0/16 all',
  'show route 10.99.0.0/16 count',
  'show route 10.99.0.0/16 stats',
  'show route 10.90.0.0/16 count',
  'show route 10.99.0.0/16 where false',
  'show route for 10.99.1.1 count',
  'show route for 999.1.1.1',
  'show route where true where true',
  'show route filter f1 filter f1',
  'show route primary count',
  'show route filtered count',
  'show static s1',
  'show static b1',
  'show static nosuch',
  'show symbols function',
  'show symbols filter',
  'show symbols template',
  'show symbols protocol',
  'show symbols f1',
  'show symbols nosuch',
  'show bfd',
  'show bfd sessions',
  'show ospf',
  'show ospf neighbors',
  'show ospf state',
  'show ospf topology all',
  'show rip interfaces',
  'show rip neighbors',
  'configure foo',
  'configure check',
  'configure check x',
  'configure check "/nonexistent"',
  'configure 5',
  'configure timeout x',
  'configure soft undo',
  'configure',
  'configure timeout 30',
  'configure confirm',
  'configure confirm',
  'configure undo',
  'configure undo',
  'enable',
  'enable nosuch',
  'enable s1',
  'enable s1 5',
  'disable s1',
  'disable s1 "msg"',
  'show protocols s1',
  'show protocols all s1',
  'restart s1',
  'reload s1',
  'reload in s1',
  'enable s1',
  'disable s1 "away"',
  'show protocols all s1',
  'restart s1',
  'enable s1 "back"',
  'show protocols all s1',
  'restart s1 "why"',
  'show protocols all s1',
  'reload out s1',
  'restart s1',
  'show protocols all s1',
  'reload in',
  'enable direct1',
  'enable s4 "on"',
  'disable s1 "off"',
  'show protocols direct1',
  'show protocols all s4',
  'show route protocol s4',
  'configure soft',
  'show protocols direct1',
  'show protocols all s4',
  'show protocols all s1',
  'show route protocol s1 count',
  'enable s4',
  'disable s1',
  'show route count',
  'configure undo',
  'show protocols s1',
  'show protocols s4',
  'show route count',
  'reload out nosuch',
  'show protocols /* a comment */ s1',
  'configure "/nonexistent"',
  'eval',
  'eval fu()',
  'eval MYAS',
  'eval (1,2)',
  'eval "abc"',
  'eval true',
  'eval [1,2,3]',
  'eval 10.0.0.1',
  'eval RTS_BGP',
  'eval 1 + 2',
  'eval 1 = 1',
  'debug',
  'debug s1',
  'debug s1 states',
  'debug s1 { states, foo }',
  'debug s1 { states, events }',
  'debug all all',
  'debug nosuch all',
  'debug "s*" all',
  'debug s1 { }',
  'mrtdump',
  'mrtdump all off',
  'mrtdump s1 { states, messages }',
  'mrtdump s1 { foo }',
  'dump',
  'dump foo',
  'dump resources',
  'dump sockets',
  'dump routes',
  'echo',
  'echo foo',
  'echo { error }',
  'echo { error } 512',
  'echo { error, warning } 4096',
  'echo { foo }',
  'echo off 4',
  'echo all 1',
  'log',
  'down x',
  'restrict x',
  '?',
  'show ?',
  '',
  ' ',
  '"text"',
  '10.0.0.1',
  '2001:db8::1',
  'restrict',
  'configure',
  'disable all',
  'down',
  'show protocols s1',
];

const ONLY = {
  '2.x': [
    'show route filter nosuch',
    'show route filtered primary',
    'show route protocol s2 table r4',
    'show route protocol s1 table t_aux',
    'show route MYAS',
    'show symbols attribute',
    'show symbols table t_aux',
    'show symbols s1 f1 table',
    'show route filter s1',
    'show route protocol device1',
    'show route table t_aux protocol s1',
    'show route table all protocol s1',
    'restart "',
    'show route table master4 where roa_check(r4, net, 65000) = ROA_VALID count',
    'show route table master4 where roa_check(r4, net, 65001) = ROA_INVALID count',
    'show protocols b1',
    'show protocols all b1',
    'show protocols master4',
    'show protocols all all',
    'show route in 10.0.0.0/8',
    'show route in 10.98.0.0/15 count',
    'show route table all',
    'show route table all count',
    'show route table r4',
    'show route table r4 for 1.2.3.4',
    'show route table master4 table t_aux',
    'show route 10.99.0.0/16 table t_aux',
    'show route for 2001:db8::1',
    'show route 2001:db8::/32',
    'show route table master4 for 2001:db8::1',
    'show route import table b1.ipv4',
    'show route export table b1.ipv4',
    'show route export b1.ipv6',
    'show route export b1',
    'show route export b1 protocol s1',
    'show route export table',
    'show static',
    'show static x',
    'show symbols all',
    'show symbols table',
    'show bfd sessions s1',
    'show babel interfaces',
    'show babel neighbors',
    'show babel entries',
    'show babel routes',
    'show roa',
    'configure status',
    'configure status x',
    'reload all',
    'mrt',
    'mrt dump',
    'mrt dump table "x"',
    'graceful',
    'graceful restart x',
    'timeformat "%F"',
    'debug s1.ipv4 all',
    'dump filter',
    'dump filter all',
    'enable all x',
    'reload filters all',
  ],
  '1.6': [
    'show route where roa_check(r4, net, 65000) = ROA_VALID count',
    'show route where roa_check(r4, net, 65001) = ROA_INVALID count',
    'show protocols master',
    'show route for 2001:db8::1',
    'show route in 10.0.0.0/8',
    'show static',
    'show route exported s1',
    'show route preexport s1 count',
    'show route preexport s1 10.0.0.0/8',
    'show symbols all',
    'show symbols table t_aux',
    'show route table r4 all',
    'show route protocol MYAS all',
    'show route table all',
    'show protocols static',
    'show roa nosuch',
    'mrt dump',
    'show roa',
    'show roa 10.0.0.0/8',
    'show roa in 10.0.0.0/7',
    'show roa for 10.1.0.0/16',
    'show roa as 65000',
    'show roa as 1',
    'show roa table r4',
    'show roa table nosuch',
    'show symbols roa',
    'configure status',
    'help',
    'quit',
    'exit',
  ],
} as const;

/** Replies that differ, and why. */
const DIFFERENT: readonly { readonly command: RegExp; readonly why: string }[] = [
  {
    command: /^show symbols (function|filter|template|protocol|roa)$/,
    why: '1.6 leaves out the code after a name',
  },
  { command: /^configure (soft|undo)$/, why: 'BIRD does not wait for protocols that change' },
];

const BIRDS = { '2.x': 'bird2', '1.6': 'bird1' } as const;

const LAST = /^\d{4} /;
const SILENCE_MS = 2000;
const POLL_MS = 10;
/** Commands that send a protocol somewhere, and a line about one that is not there yet. */
const MOVING = /^(en|dis)able |^restart |^configure (soft|undo)$/;
const UNDER_WAY = / (flush|stop) /;
const RETRY_MS = 20;
const MOST_COMPARED = 100;

class RealBird {
  readonly #folder = mkdtempSync(join(tmpdir(), 'beside-bird-'));
  readonly config = join(this.#folder, 'bird.conf');
  readonly #process: ChildProcess;
  readonly #socket = join(this.#folder, 'bird.ctl');

  constructor(program: string, text: string) {
    writeFileSync(this.config, text);
    const words = ['-f', '-c', this.config, '-s', this.#socket, '-P', join(this.#folder, 'bird.pid')];
    this.#process = spawn(program, words, { stdio: 'ignore' });
  }

  /** There is a socket before anybody listens. */
  async #connect(): Promise<Socket> {
    for (;;) {
      if (this.#process.exitCode !== null) throw new Error('the daemon did not start');
      const socket = connect(this.#socket);
      const isOpen = await new Promise((resolve) => {
        socket.once('connect', () => resolve(true)).on('error', () => resolve(false));
      });
      if (isOpen) return socket;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  async askAll(commands: readonly string[]): Promise<string[][]> {
    const socket = await this.#connect();
    let text = '';
    let wake = (): void => {};
    let gone = false;
    socket.on('close', () => {
      gone = true;
      wake();
    });
    socket.on('data', (chunk) => {
      text += chunk.toString();
      wake();
    });
    const reply = async (): Promise<string[]> => {
      for (;;) {
        const lines = text.split('\n').slice(0, -1);
        const end = lines.findIndex((line) => LAST.test(line));
        if (end >= 0) {
          text = text.slice(lines.slice(0, end + 1).join('\n').length + 1);
          return lines.slice(0, end + 1);
        }
        // 1.6 falls over a question now and then.
        if (gone) return [];
        const came = new Promise<boolean>((resolve) => {
          wake = () => resolve(true);
        });
        const silence = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), SILENCE_MS));
        if (!(await Promise.race([came, silence]))) return ['<<timeout>>'];
      }
    };
    await reply();
    const ask = (command: string): Promise<string[]> => {
      socket.write(`${command}\n`);
      return reply();
    };
    const replies: string[][] = [];
    for (const command of commands) {
      replies.push(await ask(command));
      // What comes next is asked of a protocol that has arrived where it was sent.
      while (MOVING.test(command) && (await ask('show protocols')).some((line) => UNDER_WAY.test(line))) {
        await sleep(POLL_MS);
      }
    }
    socket.destroy();
    return replies;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const gone = once(this.#process, 'exit');
      this.#process.kill();
      await gone;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

describe.each(['2.x', '1.6'] as const)('beside BIRD %s', (dialect) => {
  const [program] = birdCommand(BIRDS[dialect], 'bird') ?? [];
  skipWithout(missingBird(BIRDS[dialect]));
  const commands = [...ONLY[dialect], ...COMMANDS];
  let theirs: string[][] = [];
  let ours: string[][] = [];

  beforeAll(async () => {
    if (program === undefined) return;
    const text = CONFIGS[dialect];
    let bird = new RealBird(program, text);
    theirs = await bird.askAll(commands);
    await bird.stop();
    if (theirs.some((reply) => reply.length === 0)) {
      bird = new RealBird(program, text);
      theirs = await bird.askAll(commands);
      await bird.stop();
    }

    const lab = new SimLab();
    const { clock } = lab;
    const load = (file = bird.config) => {
      const files = { read: () => text, list: () => [] };
      if (file !== bird.config) {
        const message = 'No such file or directory';
        const issue = { severity: 'error', file, line: 0, column: 0, path: '', message } as const;
        return { ok: false, issues: [{ ...issue, hint: undefined, excerpt: undefined }] } as const;
      }
      return loadBird(text, file, files, { hostname: 'h1', addresses: ['10.0.0.1'] }, { dialect });
    };
    const first = load();
    if (!first.ok) throw new Error(JSON.stringify(first.issues));
    const machine = simKernel('eth0 10.0.0.1/24');
    const speaker = new Speaker(first.config, {
      clock,
      scheduler: new Scheduler(clock, { defer: clock.defer }),
      random: lab.random,
      defer: clock.defer,
      transport: lab.network.host(Uint8Array.of(10, 0, 0, 1)),
      openKernel: async () => machine.session(),
      addresses: () => [],
      log: silentLogger,
      version: '0.0.0',
    });
    const api = createApi({ speaker, configFile: bird.config, loadConfig: load });
    const started = speaker.start();
    await lab.run(5000);
    await started;
    const style = dialect === '1.6' ? 'bird1' : 'bird2';
    const version = /BIRD (\S+)/.exec(theirs[commands.indexOf('show status')]?.[0] ?? '')?.[1] ?? '';
    const talk = new Talk({ api, style, clock, version, pass: () => lab.settle() });
    for (const command of commands) ours.push(await talk.ask(command));
  });
  afterAll(() => {
    ours = [];
  });

  it.skipIf(program === undefined)('says the same', () => {
    const differing = commands.flatMap((command, at) => {
      if (theirs[at]?.length === 0 || DIFFERENT.some((each) => each.command.test(command))) return [];
      const want = normalize(theirs[at] ?? []);
      const got = normalize(ours[at] ?? []);
      return JSON.stringify(want) === JSON.stringify(got) ? [] : [{ command, want, got }];
    });
    expect(differing).toEqual([]);
    expect(theirs.filter((reply) => reply.length > 0).length).toBeGreaterThan(MOST_COMPARED);
  });
});
