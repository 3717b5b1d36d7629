// The house rules that a compiler does not know: who may import whom (ARCHITECTURE.md), where the native and the
// system's doors are, and that no file grows into a second one.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('..', import.meta.url).pathname;
const SRC = join(ROOT, 'src');
const MAX_LINES = 400;

/** Each room and the rooms that it may import from, itself aside. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  'bgp/wire': ['lib'],
  'bgp/session': ['lib', 'bgp/wire'],
  bfd: ['lib'],
  rpki: ['lib'],
  bmp: ['lib'],
  rib: ['lib', 'bgp/wire'],
  policy: ['lib', 'bgp/wire', 'rib'],
  fib: ['lib', 'bgp/wire'],
  config: ['lib', 'bgp/wire', 'policy'],
  speaker: ['lib', 'bgp/wire', 'bgp/session', 'bfd', 'rpki', 'bmp', 'rib', 'policy', 'fib', 'config'],
  sim: ['lib', 'bgp/wire', 'bgp/session', 'rib', 'fib', 'config', 'speaker'],
  // The views' types and what operators type; never a table or a session.
  control: ['lib', 'bgp/wire', 'speaker/api', 'config/model'],
  cli: ['lib', 'control', 'config', 'sim', 'speaker/api', 'speaker/main'],
  demo: ['lib', 'bgp/session', 'bgp/wire', 'fib', 'config', 'control', 'cli', 'speaker'],
};

/** Modules that only these rooms or files may use. */
const DOORS: readonly { readonly module: RegExp; readonly allowed: readonly string[] }[] = [
  {
    module: /(^|\/)koffi(\.ts)?$/,
    allowed: [
      'fib/netlink',
      'bfd/udp',
      'bgp/session/native-socket.ts',
      'cli/bird/native.ts',
      'cli/upgrade/native.ts',
      'lib/exit-now.ts',
      'lib/idle-memory.ts',
      'lib/koffi.ts',
      'control/peer-credentials.ts',
      'cli/capabilities.ts',
      'cli/supervisor-socket.ts',
    ],
  },
  {
    module: /^node:net$/,
    allowed: ['bgp/session/tcp-socket.ts', 'bgp/session/tcp-transport.ts', 'control', 'demo'],
  },
  { module: /^node:worker_threads$/, allowed: ['fib/netlink', 'bfd/worker', 'speaker/watchdog'] },
  { module: /^(zod|yaml)$/, allowed: ['config', 'sim/topology-file.ts'] },
  { module: /^(@grpc\/grpc-js|protobufjs)$/, allowed: ['control/grpc'] },
  { module: /^prom-client$/, allowed: ['control/http'] },
  { module: /^(pino|pino-pretty)$/, allowed: ['cli'] },
  { module: /^commander$/, allowed: ['cli'] },
  { module: /^ipaddr\.js$/, allowed: ['lib/ip.ts', 'config'] },
];

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

function sources(): SourceFile[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => {
      const text = readFileSync(join(SRC, path), 'utf8');
      const imports = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]!);
      return { path, text, imports };
    });
}

function roomOf(path: string): string {
  const room = Object.keys(MAY_IMPORT).find((name) => path.startsWith(`${name}/`));
  if (room === undefined) throw new Error(`src/${path} belongs to no room; add it to MAY_IMPORT`);
  return room;
}

function target(file: SourceFile, specifier: string): string {
  return normalize(relative(SRC, join(SRC, dirname(file.path), specifier)));
}

/** Where the command line begins: loaded for `godwit --help`, and for birdc, before anything is known of what is asked. */
const FIRST_LOADED = ['cli/main.ts', 'cli/program.ts', 'cli/bird/client.ts'];
/** What takes long to load, and is imported by who is asked for it. */
const LOADED_LATE =
  /^(zod|yaml|pino|pino-pretty|prom-client|protobufjs|@grpc\/.*|koffi|speaker\/(?!api(\/|\.ts)).*|sim\/.*|rib\/.*|policy\/.*|config\/(?!model(\/|\.ts)).*)$/;

/** What is loaded along with a file, and by which file; types and import() are not. */
function loadedWith(start: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const pending: string[] = [start];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const text = readFileSync(join(SRC, path), 'utf8');
    for (const [, specifier] of text.matchAll(
      /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm,
    )) {
      const inside = specifier!.startsWith('.');
      const reached = inside ? normalize(join(dirname(path), specifier!)) : specifier!;
      if (found.has(reached)) continue;
      found.set(reached, path);
      if (inside) pending.push(reached);
    }
  }
  return found;
}

describe('the layers', () => {
  const files = sources();

  it('are all there', () => {
    expect(files.length).toBeGreaterThan(50);
  });

  it('import only downwards', () => {
    const wrong = files.flatMap((file) => {
      const room = roomOf(file.path);
      return file.imports
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => target(file, specifier))
        .filter((path) => roomOf(path) !== room)
        .filter(
          (path) => !MAY_IMPORT[room]!.some((name) => path.startsWith(`${name}/`) || path === `${name}.ts`),
        )
        .map((path) => `src/${file.path} imports src/${path}`);
    });
    expect(wrong).toEqual([]);
  });

  it('reach the outside through their doors only', () => {
    const wrong = files.flatMap((file) =>
      file.imports.flatMap((specifier) => {
        const door = DOORS.find(({ module }) => module.test(specifier));
        if (door === undefined || door.allowed.some((path) => file.path.startsWith(path))) return [];
        return [`src/${file.path} imports ${specifier}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it.each(FIRST_LOADED)('%s loads nothing that takes long', (start) => {
    const loaded = loadedWith(start);
    expect([...loaded.keys()].length).toBeGreaterThan(3);
    const wrong = [...loaded].filter(([path]) => LOADED_LATE.test(path));
    expect(wrong.map(([path, by]) => `src/${by} loads ${path}`)).toEqual([]);
  });

  it('take time from lib/clock only', () => {
    const timed = /(?<!\.)\b(Date\.now|performance\.now|setTimeout|setInterval)\(/;
    const allowed = ['lib/clock.ts', 'cli/', 'demo/'];
    const wrong = files
      .filter(({ path, text }) => timed.test(text) && !allowed.some((prefix) => path.startsWith(prefix)))
      .map(({ path }) => `src/${path}`);
    expect(wrong).toEqual([]);
  });

  it('have no default exports and no file of more than one room', () => {
    const wrong = files.flatMap(({ path, text }) => {
      const lines = text.split('\n').length - 1;
      return [
        ...(/^export default/m.test(text) ? [`src/${path} has a default export`] : []),
        ...(lines > MAX_LINES ? [`src/${path} has ${lines} lines`] : []),
      ];
    });
    expect(wrong).toEqual([]);
  });
});
