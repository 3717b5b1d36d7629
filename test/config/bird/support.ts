// One way for these tests to read a BIRD configuration: files from a table, a fixed host, the real daemons as oracle.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BirdConfig, ProtocolConfig, ProtocolKind } from '../../../src/config/bird/config.ts';
import type { BirdFiles } from '../../../src/config/bird/include.ts';
import { toIssues } from '../../../src/config/bird/issues.ts';
import { loadBird } from '../../../src/config/bird/load.ts';
import { type ParseOptions, parseBird } from '../../../src/config/bird/parse.ts';
import { type ConfigIssue, formatIssues } from '../../../src/config/issues.ts';
import type { Config } from '../../../src/config/model.ts';
import type { Dialect } from '../../../src/policy/lexer.ts';
import { HOST } from '../support.ts';

export const MAIN_FILE = '/etc/bird/bird.conf';

/** A file system of these files. */
export function filesOf(files: Readonly<Record<string, string>>): BirdFiles {
  return {
    read: (path) => {
      const text = Object.hasOwn(files, path) ? files[path] : undefined;
      if (text === undefined) throw Object.assign(new Error('missing'), { code: 'ENOENT' });
      return text;
    },
    list: (directory) => {
      const names = Object.keys(files)
        .filter((path) => path.startsWith(`${directory}/`))
        .map((path) => path.slice(directory.length + 1).split('/')[0]!);
      if (names.length === 0) throw Object.assign(new Error('missing'), { code: 'ENOENT' });
      return [...new Set(names)];
    },
  };
}

export interface Read {
  readonly config: BirdConfig;
  readonly issues: readonly ConfigIssue[];
  readonly errors: readonly ConfigIssue[];
}

export function read(text: string, options: ParseOptions = {}, files: Record<string, string> = {}): Read {
  const { config, diagnostics, masks } = parseBird(text, MAIN_FILE, filesOf(files), options);
  const issues = toIssues(diagnostics, masks, config.files);
  return { config, issues, errors: issues.filter((issue) => issue.severity === 'error') };
}

/** A text without errors. */
export function good(
  text: string,
  options: ParseOptions = {},
  files: Record<string, string> = {},
): BirdConfig {
  const { config, errors } = read(text, options, files);
  if (errors.length > 0) throw new Error(formatIssues(errors, { color: false }));
  return config;
}

/** The only protocol of a kind. */
export function only<K extends ProtocolKind>(
  config: BirdConfig,
  kind: K,
): Extract<ProtocolConfig, { kind: K }> {
  const found = config.protocols.filter(
    (protocol): protocol is Extract<ProtocolConfig, { kind: K }> => protocol.kind === kind,
  );
  if (found.length !== 1) throw new Error(`${found.length} protocols of ${kind}`);
  return found[0]!;
}

export interface Model {
  readonly config: Config;
  readonly bird: BirdConfig;
  /** `message` of each warning. */
  readonly warnings: readonly string[];
}

export function model(
  text: string,
  options: ParseOptions = {},
  name = MAIN_FILE,
  files = filesOf({}),
): Model {
  const result = loadBird(text, name, files, HOST, options);
  if (!result.ok) throw new Error(formatIssues(result.issues, { color: false }));
  const { config, bird, warnings } = result;
  return { config, bird, warnings: warnings.map((warning) => warning.message) };
}

// --- the real daemons

/** The program of a dialect: `bird` where it is a 2.x, and what BIRD_1_6 names; undefined where there is none. */
export function oracle(dialect: Dialect): string | undefined {
  const program = dialect === '2.x' ? 'bird' : process.env['BIRD_1_6'];
  if (program === undefined) return undefined;
  const { stdout, stderr, error } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  const wanted = dialect === '2.x' ? /BIRD version 2\./ : /BIRD version 1\.6/;
  return error === undefined && wanted.test(`${stdout}${stderr}`) ? program : undefined;
}

/** Whether `bird -p` accepts a text. */
export class Judge {
  readonly #program: string;
  readonly #directory = mkdtempSync(join(tmpdir(), 'godwit-bird-'));

  constructor(program: string) {
    this.#program = program;
  }

  accepts(text: string): boolean {
    const file = join(this.#directory, 'bird.conf');
    writeFileSync(file, text);
    // What it is asked to log and dump to, it opens, relative to where it runs.
    const options = { cwd: this.#directory, encoding: 'utf8' } as const;
    const { status, stderr } = spawnSync(this.#program, ['-p', '-c', file], options);
    return status === 0 || /Unable to open (log|MRTDump) file/.test(stderr);
  }

  close(): void {
    rmSync(this.#directory, { recursive: true });
  }
}
