// Secrets in every place where a running godwit can have one, and everything that it says: each command over gRPC and on
// the command line, each of BIRD's, HTTP, logs at their most talkative, journals and reports, the process itself. New
// commands are asked by themselves: the tables are walked.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { run, waitFor } from '../../bench/lab/command.ts';
import type { ManagedProcess } from '../../bench/lab/managed-process.ts';
import { projectRoot } from '../../bench/project.ts';
import { bird } from '../../src/cli/bird/daemon.ts';
import { DAEMONS } from '../../src/cli/bird/faces.ts';
import { main } from '../../src/cli/main.ts';
import type { ArgumentSpec } from '../../src/control/arguments.ts';
import { BIRD_COMMANDS } from '../../src/control/bird/commands.ts';
import { COMMAND_LIST, COMMANDS, type Command } from '../../src/control/commands.ts';
import { connectControl } from '../../src/control/grpc/client.ts';
import { errorText } from '../../src/lib/error-text.ts';
import { hasOpenssl, makeCertificates, type TlsFiles } from '../control/tls-files.ts';
import { fakeTerminal } from '../support/control-lab.ts';
import { labOfEachTest, type Node } from '../support/lab/lab.ts';
import { labRequirement, skipWithout } from '../support/lab/requirement.ts';

/** In every secret; nothing else has it. */
const MARK = 'xyzzy';
const secret = (place: string): string => `${place}-${MARK}`;
const ROUTE = '198.51.100.0/24';
/** What ends the daemon, or hands it over, is left to other labs. */
const ENDS: readonly string[] = ['down', 'graceful restart', 'upgrade'];
const WATCH_MS = 500;
const GODWIT = join(projectRoot(), 'bin', 'godwit.js');

const createLab = labOfEachTest();

/** What was said, by where. */
class Heard {
  readonly #words = new Map<string, string>();

  add(where: string, words: string): void {
    this.#words.set(where, `${this.#words.get(where) ?? ''}${words}\n`);
  }

  get size(): number {
    return this.#words.size;
  }

  of(where: string): string {
    return this.#words.get(where) ?? '';
  }

  /** Lines with a secret, with their places; `more`: secrets without the mark. */
  leaks(more: string): string[] {
    return [...this.#words].flatMap(([where, words]) =>
      words
        .split('\n')
        .flatMap((line) =>
          line.includes(MARK) || line.includes(more) ? [`${where}: ${line.slice(0, 300)}`] : [],
        ),
    );
  }
}

/** `godwit WORDS` in this process: both streams, whatever the exit code. */
async function godwit(...words: string[]): Promise<string> {
  const terminal = fakeTerminal({ env: { ...process.env, ...ENVIRONMENT } });
  await main(words, terminal);
  return terminal.out + terminal.err;
}

/** `bird -p -c FILE` */
async function birdCheck(file: string): Promise<string> {
  const terminal = fakeTerminal();
  await bird(['-p', '-c', file], DAEMONS['bird']!, terminal);
  return terminal.out + terminal.err;
}

/** All that BIRD's socket says to these commands. */
function dialogue(socket: string, commands: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = '';
    const client = connect(socket, () => client.end(commands.map((command) => `${command}\n`).join('')));
    client.on('data', (chunk) => {
      heard += String(chunk);
    });
    client.on('error', reject);
    client.on('close', () => resolve(heard));
  });
}

async function yamlConfig(own: Node, tls: TlsFiles, ...mates: readonly Node[]): Promise<string> {
  const path = join(own.directory, 'godwit.yaml');
  const files = join(own.directory, 'secrets');
  await mkdir(files);
  await writeFile(join(files, 'peer'), `${secret('file')}\n`);
  await writeFile(join(files, 'ao'), `${secret('ao-file')}\n`);
  const peer = (last: number, rest: object) => ({
    name: `peer${last}`,
    address: `10.99.0.${last}`,
    asn: 64512,
    connectDelayTime: 1,
    connectRetryTime: 1,
    ...rest,
  });
  const bfd = (password: unknown) => ({ interval: 300, verification: { type: 'sha1', password } });
  await writeFile(
    path,
    JSON.stringify({
      router: { asn: 64512, id: own.ipv4 },
      log: 'debug',
      kernel: { install: true },
      networks: [ROUTE],
      control: {
        socket: join(own.directory, 'godwit.sock'),
        bird: { socket: join(own.directory, 'bird.ctl') },
        tcp: { listen: `${own.ipv4}:8180`, tls: { ca: tls.ca, cert: tls.cert, privateKey: tls.key } },
      },
      http: `${own.ipv4}:8179`,
      journal: { file: join(own.directory, 'journal.jsonl') },
      crash: { directory: own.directory },
      peerGroups: { group: { password: secret('group'), bfd: bfd(secret('bfd')) } },
      peers: [
        ...mates.map(({ ipv4 }, i) => ({
          ...peer(2, { password: secret('mate') }),
          name: i === 0 ? 'mate' : `mate${i}`,
          address: ipv4,
        })),
        peer(11, { group: 'group' }),
        peer(12, { password: { file: 'secrets/peer' }, bfd: bfd({ env: 'BFD_KEY' }) }),
        peer(13, { password: { env: 'PEER_KEY' } }),
        peer(14, { password: `\${PEER_KEY}` }),
        peer(15, { password: { value: secret('value') } }),
        peer(16, {
          authentication: {
            type: 'ao',
            keys: [
              { id: 1, password: secret('ao') },
              { id: 2, password: { file: 'secrets/ao' } },
              { id: 3, password: { env: 'AO_KEY' } },
            ],
          },
        }),
      ],
      dynamicPeers: [{ prefix: '10.99.1.0/24', asn: 64512, password: secret('range') }],
    }),
  );
  return path;
}

const BIRD = {
  '1.6': (own: Node, mate: Node) => `router id ${own.ipv4};
log stderr all;
debug protocols all;
protocol device { }
protocol kernel { persist; export all; }
protocol static { route 203.0.113.0/24 blackhole; }
protocol bgp mate { local ${own.ipv4} as 64512; neighbor ${mate.ipv4} as 64512; password "${secret('mate')}";
  connect delay time 1; connect retry time 1; import all; export all; }
protocol bgp third { local ${own.ipv4} as 64512; neighbor 10.99.0.99 as 64512; password "${secret('one')}"; }
`,
  '2.x': (own: Node, mate: Node) => `router id ${own.ipv4};
log stderr all;
debug protocols all;
define SHARED = "${secret('mate')}";
protocol device { }
protocol kernel { ipv4 { export all; }; }
protocol static { ipv4; route 203.0.113.0/24 blackhole; }
protocol bgp mate { local ${own.ipv4} as 64512; neighbor ${mate.ipv4} as 64512; password SHARED;
  connect delay time 1; connect retry time 1; ipv4 { import all; export all; }; }
protocol bgp third { local ${own.ipv4} as 64512; neighbor 10.99.0.99 as 64512; authentication ao;
  connect delay time 1; keys { key { id 1; secret "${secret('ao')}"; algorithm hmac sha1; }; }; ipv4 { import all; }; bfd; }
protocol bfd { interface "*" { authentication keyed sha1; password "${secret('bfd')}"; }; }
`,
} as const;

const ENVIRONMENT = { PEER_KEY: secret('env'), BFD_KEY: secret('env-bfd'), AO_KEY: secret('env-ao') };

/** Values for what a command takes, a plausible one for each. */
function sample(spec: ArgumentSpec, file: string): string | undefined {
  if (spec.choices !== undefined) return spec.choices.at(-1);
  if (spec.value === 'PEER') return 'mate';
  if (spec.field === 'prefix') return ROUTE;
  if (spec.value === 'FILE') return file;
  if (spec.type === 'number') return '1';
  return spec.required ? 'x' : undefined;
}

/** Requests of a command: with nothing, with all that it must have, and with all that it may have. */
function requestsOf({ args }: Command, file: string): Record<string, unknown>[] {
  const fill = (all: boolean) =>
    Object.fromEntries(
      args.flatMap((spec) => {
        if (!all && !spec.required) return [];
        const value = spec.type === 'flag' ? true : sample(spec, file);
        if (value === undefined) return [];
        return [
          [spec.field, spec.type === 'number' ? Number(value) : spec.type === 'list' ? [value] : value],
        ];
      }),
    );
  return [{}, fill(false), fill(true)];
}

function wordsOf({ name, args }: Command, file: string): string[][] {
  const fill = (all: boolean): string[] =>
    args.flatMap((spec) => {
      if (!all && !spec.required) return [];
      if (spec.type === 'flag') return [spec.flag ?? ''];
      const value = sample(spec, file);
      if (value === undefined) return [];
      return spec.flag === undefined ? [value] : [spec.flag, value];
    });
  return [false, true].map((all) => [...name.split(' '), ...fill(all)]);
}

async function askService(socket: string, file: string, heard: Heard): Promise<void> {
  const client = await connectControl(socket);
  const take = async (entries: AsyncGenerator<object, void>, where: string): Promise<void> => {
    for await (const entry of entries) heard.add(where, JSON.stringify(entry));
  };
  for (const command of COMMAND_LIST) {
    if (ENDS.includes(command.name)) continue;
    for (const request of requestsOf(command, file)) {
      const where = `gRPC ${command.name}`;
      try {
        if (command.kind === 'unary') heard.add(where, JSON.stringify(await client.unary(command, request)));
        else if (command.kind === 'list') await take(client.list(command, request), where);
        else await take(client.watch(command, request, AbortSignal.timeout(WATCH_MS)), where);
      } catch (error) {
        heard.add(where, errorText(error));
      }
    }
  }
  client.close();
}

async function askCommandLine(socket: string, file: string, heard: Heard): Promise<void> {
  const ask = async (...words: string[]): Promise<void> =>
    heard.add(`godwit ${words.join(' ')}`, await godwit(...words));
  for (const command of COMMAND_LIST) {
    if (command.kind === 'watch' || ENDS.includes(command.name)) continue;
    const [least = [], most = []] = wordsOf(command, file);
    await ask(...least, '--socket', socket);
    await ask(...most, '--json', '--socket', socket);
  }
  await ask('show', 'routes', '--all', '--socket', socket);
  await ask('check', file);
  await ask('check', '--json', file);
  await ask('check', '--impact', file, '--socket', socket);
  await ask('test', file);
}

async function askBird(name: string, socket: string, heard: Heard): Promise<void> {
  const words = BIRD_COMMANDS.map((command) => command.words).filter((each) => !ENDS.includes(each));
  const more = [
    'show protocols all',
    'show route all',
    'eval SHARED',
    'configure',
    'configure check',
    'configure undo',
    'echo all',
    'disable "*"',
    'enable "*"',
    'nonsense',
  ];
  // One after the other: some of them answer about what those before have done.
  for (const command of [...words.filter((each) => !each.startsWith('restrict')), ...more]) {
    heard.add(`${name} ${command}`, await dialogue(socket, [command]));
  }
}

async function askHttp(node: Node, heard: Heard): Promise<void> {
  for (const path of ['/', '/metrics', '/healthz', '/readyz', '/events', '/nonsense']) {
    heard.add(
      `HTTP ${path}`,
      await node.namespace.run(['curl', '-s', '-i', `http://${node.ipv4}:8179${path}`]),
    );
  }
}

/** Logs, journals, reports and whatever else lies where the daemon writes; what the test wrote aside. */
function readFiles(directory: string, inputs: readonly string[], heard: Heard): void {
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    const path = join(directory, name);
    if (inputs.some((input) => path.startsWith(input)) || !statSync(path).isFile()) continue;
    heard.add(path, readFileSync(path, 'latin1'));
  }
}

function readProcess(pid: number, heard: Heard): void {
  for (const name of ['cmdline', 'comm', 'status'])
    heard.add(`/proc ${name}`, readFileSync(`/proc/${pid}/${name}`, 'utf8'));
}

describe('secrets', async () => {
  const { skip } = await labRequirement(['godwit']);
  const without = skipWithout(hasOpenssl() ? undefined : 'openssl');

  test.skipIf(skip || without)('are said by nothing', async () => {
    const lab = await createLab('secret', ['a', 'b', 'c']);
    const [a, b, c] = [lab.node(0), lab.node(1), lab.node(2)];
    await chmod(a.directory, 0o755);
    const certificates = makeCertificates();
    onTestFinished(() => certificates.remove());
    const privateKey = readFileSync(certificates.server.key, 'utf8').split('\n')[1]!;
    const file = await yamlConfig(a, certificates.server, b, c);
    const inputs = [file, join(a.directory, 'secrets')];
    const environment = Object.entries(ENVIRONMENT).map(([name, value]) => `${name}=${value}`);
    const start = (node: Node, ...command: string[]): ManagedProcess => {
      return lab.run('godwit', node, ['env', ...environment, process.execPath, GODWIT, ...command]);
    };
    const birds = await Promise.all(
      (
        [
          ['1.6', b],
          ['2.x', c],
        ] as const
      ).map(async ([dialect, node]) => {
        const config = join(node.directory, 'bird.conf');
        const bad = join(node.directory, 'bad.conf');
        const text = BIRD[dialect](node, a);
        await writeFile(config, text);
        await writeFile(bad, text.replaceAll(`${MARK}"`, `${MARK}" nonsense`));
        inputs.push(config, bad);
        return { node, config, bad, socket: join(node.directory, 'bird.ctl') };
      }),
    );
    const running = [start(a, 'run', '-c', file)];
    for (const { node, config, socket } of birds) {
      running.push(
        start(node, 'bird', '-d', '-D', join(node.directory, 'debug'), '-c', config, '-s', socket),
      );
    }
    const socket = join(a.directory, 'godwit.sock');
    const log = join(a.directory, 'godwit.log');
    await waitFor('sessions with keys', async () => {
      if (!existsSync(socket)) return false;
      const client = await connectControl(socket);
      const { peers } = await client.unary(COMMANDS.showPeers, {});
      client.close();
      return peers.filter(({ state }) => state === 'Established').length === birds.length;
    });
    // What cannot work has been tried by now, and has been said.
    await waitFor('the peer without TCP-AO', async () => readFileSync(log, 'utf8').includes('no TCP-AO'));

    const heard = new Heard();
    for (const each of running) readProcess(each.pid, heard);
    await askCommandLine(socket, file, heard);
    await askService(socket, file, heard);
    await askHttp(a, heard);
    await askBird('YAML:', join(a.directory, 'bird.ctl'), heard);
    for (const { node, config, bad, socket: control } of birds) {
      await askBird(`${node.name}:`, control, heard);
      for (const each of [config, bad]) {
        heard.add(`bird -p ${each}`, await birdCheck(each));
        heard.add(`check ${each}`, await godwit('check', '--json', each));
      }
      await writeFile(config, readFileSync(config, 'utf8').replace(secret('mate'), secret('changed')));
      heard.add(`${node.name}: reload`, await dialogue(control, ['configure']));
    }
    // Other keys, and a file that is wrong.
    await writeFile(join(a.directory, 'secrets', 'peer'), `${secret('another')}\n`);
    heard.add('reload', await godwit('reload', '--socket', socket));
    await writeFile(file, `${readFileSync(file, 'utf8').slice(0, -1)},"peers":1}`);
    heard.add('bad reload', await godwit('reload', '--socket', socket));
    for (const each of running) await run(['kill', '-USR1', String(each.pid)]);
    await Promise.all(running.map((each) => each.stop('SIGTERM')));
    for (const node of [a, b, c]) readFiles(node.directory, inputs, heard);

    expect(heard.leaks(privateKey)).toEqual([]);
    // It was really asked, and it really answered.
    expect(heard.size).toBeGreaterThan(150);
    expect(heard.of('gRPC show peers')).toContain('10.99.0.16');
    expect(heard.of('c: show protocols all')).toContain('Neighbor AS');
    expect(heard.of('c: eval SHARED')).toContain('<redacted>');
    expect(heard.of('HTTP /metrics')).toContain('godwit_');
    expect(heard.of('reload')).toMatch(/password changed/);
    expect(heard.of('bad reload')).toContain('the key is given twice');
    expect(heard.of(log)).toContain('no TCP-AO');
    expect(heard.of(log)).toContain('control port is open');
    for (const { bad } of birds) expect(heard.of(`bird -p ${bad}`)).toContain('expected');
  });
});
