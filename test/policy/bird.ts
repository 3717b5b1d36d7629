// The real BIRD as an oracle: one daemon in a directory of its own that evaluates terms through its control socket,
// and runs statements over static routes. It has no kernel protocol and touches nothing.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dialect } from '../../src/policy/lexer.ts';
import { missingBird } from '../support/lab/bird-process.ts';
import { skipWithout } from '../support/lab/requirement.ts';

export interface BirdProgram {
  readonly path: string;
  readonly dialect: Dialect;
}

/** Installed BIRDs: 2.x by its name, 1.6 where BIRD_1_6 says. */
function installedBirds(): BirdProgram[] {
  const birds: BirdProgram[] = [];
  for (const path of ['bird', '/usr/sbin/bird', process.env['BIRD_1_6'] ?? '']) {
    if (path === '') continue;
    const { stderr, stdout, status } = spawnSync(path, ['--version'], { encoding: 'utf8' });
    const version = /BIRD version (\d+\.\d+)/.exec(`${stdout}${stderr}`)?.[1];
    if (status !== 0 || version === undefined) continue;
    const dialect = version.startsWith('1.') ? '1.6' : '2.x';
    if (!birds.some((bird) => bird.dialect === dialect)) birds.push({ path, dialect });
  }
  return birds;
}

/** Those of both dialects that are here; says which is missing. Throws where labs are demanded. */
export function birdsToCompare(): BirdProgram[] {
  for (const kind of ['bird2', 'bird1'] as const) skipWithout(missingBird(kind));
  return installedBirds();
}

const START = 'router id 192.0.2.1;\nprotocol device { }\n';
const PATIENCE_MS = 30_000;
const POLL_MS = 10;

export class BirdEvaluator {
  readonly #program: BirdProgram;
  readonly #folder = mkdtempSync(join(tmpdir(), 'bird-eval-'));
  #daemon: ChildProcess | undefined;

  constructor(program: BirdProgram) {
    this.#program = program;
    writeFileSync(join(this.#folder, 'bird.conf'), START);
  }

  /**
   * The values as BIRD shows them; `syntax` or `runtime` for what went wrong; undefined where the answer is too long
   * or the daemon fell over the question, as 1.6 does now and then.
   */
  async evaluateAll(terms: readonly string[]): Promise<(string | undefined)[]> {
    const answers: (string | undefined)[] = [];
    let isSecondTry = false;
    while (answers.length < terms.length) {
      const socket = await this.#start();
      const replies = lines(socket);
      await replies.next();
      while (answers.length < terms.length) {
        socket.write(`eval ${terms[answers.length]}\n`);
        const reply = await lastLine(replies);
        // What broke it may have been the question before.
        const isGone: boolean = reply === undefined && !isSecondTry;
        isSecondTry = isGone;
        if (isGone) break;
        const code = reply?.slice(0, 4) ?? '';
        answers.push(ANSWERS[code] ?? (code === '0023' ? reply?.slice(5) : undefined));
        if (reply === undefined) break;
      }
      socket.destroy();
    }
    return answers;
  }

  stop(): void {
    this.#daemon?.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A fresh daemon, and a connection to it. */
  async #start(): Promise<Socket> {
    this.#daemon?.kill('SIGKILL');
    const path = join(this.#folder, 'ctl');
    rmSync(path, { force: true });
    const args = ['-f', '-c', join(this.#folder, 'bird.conf'), '-s', path];
    this.#daemon = spawn(this.#program.path, args, { stdio: 'ignore' });
    for (let waited = 0; waited < PATIENCE_MS; waited += POLL_MS) {
      const socket = await connect(path);
      if (socket !== undefined) return socket;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    throw new Error('bird does not start');
  }
}

/** undefined where nobody listens there yet. */
function connect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => resolve(socket));
    socket.on('error', () => resolve(undefined));
  });
}

/** The last line of a reply; undefined where the connection ends. */
async function lastLine(replies: AsyncGenerator<string, void>): Promise<string | undefined> {
  for (;;) {
    const reply = await replies.next().catch(() => undefined);
    if (reply === undefined || reply.done === true) return undefined;
    if (/^\d{4} /.test(reply.value)) return reply.value;
  }
}

const ANSWERS: Readonly<Record<string, string>> = { '9001': 'syntax', '8008': 'runtime' };

async function* lines(socket: Socket): AsyncGenerator<string, void> {
  let rest = '';
  for await (const chunk of socket) {
    rest += String(chunk);
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      yield rest.slice(0, end);
      rest = rest.slice(end + 1);
    }
  }
}

/** Whether `bird -p` takes the text as a configuration. */
export function accepts(program: BirdProgram, text: string): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'bird-parse-'));
  try {
    const config = join(folder, 'bird.conf');
    writeFileSync(config, START + text);
    execFileSync(program.path, ['-p', '-c', config], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const MARK = '@';
const RUNS_MS = 1200;

/**
 * What each of these statement lists prints over a route of its own, 10.0.n.0/24 from `protocol static s1`; `!` where
 * the route is rejected by an error.
 */
export function runStatements(program: BirdProgram, bodies: readonly string[]): string[][] {
  const folder = mkdtempSync(join(tmpdir(), 'bird-run-'));
  try {
    const tests = bodies.map(
      (body, n) => `if net = 10.0.${n}.0/24 then { print "${MARK}${n}"; ${body} accept "END"; }`,
    );
    const filter = `import filter {\n${tests.join('\n')}\n};`;
    const routes = bodies.map((_, n) => `route 10.0.${n}.0/24 blackhole;`).join('\n');
    const channel = program.dialect === '1.6' ? filter : `ipv4 { ${filter} };`;
    const config = join(folder, 'bird.conf');
    writeFileSync(
      config,
      `log "${join(folder, 'log')}" all;\nlog stderr all;\n${START}protocol static s1 {\n${channel}\n${routes}\n}\n`,
    );
    const args = ['-f', '-c', config, '-s', join(folder, 'ctl')];
    const { stderr } = spawnSync(program.path, args, { encoding: 'utf8', timeout: RUNS_MS });
    return outputs(stderr, bodies.length);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function outputs(log: string, count: number): string[][] {
  const all: string[][] = Array.from({ length: count }, () => ['!']);
  let current: { number: number; printed: string[] } | undefined;
  for (const line of log.split('\n')) {
    const text = /^\S+ \S+ <INFO> ?(.*)$/.exec(line)?.[1];
    if (text === undefined) continue;
    if (text.startsWith(MARK)) current = { number: Number(text.slice(1)), printed: [] };
    else if (current !== undefined && text === 'END') {
      all[current.number] = current.printed;
      current = undefined;
    } else current?.printed.push(text);
  }
  return all;
}
