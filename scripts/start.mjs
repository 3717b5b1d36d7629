// `npm start`: from a fresh clone to a running demonstration. It runs before anything is installed, so it is plain
// JavaScript without dependencies. Each step is left out where its result is already there, says nothing where it
// works but how long it took, and ends with a sentence about what to do where it does not. What is shown then is
// src/demo's.

import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const ENTRY = join(ROOT, 'dist', 'src', 'demo', 'main.js');
/** What bin/godwit.js starts. */
const BUNDLE = join(ROOT, 'dist', 'bundle', 'main.js');
/** Written by tsc; its time is that of the last build. */
const BUILD_RECORD = join(ROOT, 'dist', '.tsbuildinfo');
const BUILD_INPUTS = [
  'src',
  'bench',
  'tsconfig.json',
  'tsconfig.build.json',
  'rolldown.config.mjs',
  'package-lock.json',
];
/** How much of a failed command's output is shown. */
const TAIL_LINES = 15;
const MAX_OUTPUT = 1 << 24;

const OFFLINE =
  /E(NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT|NETUNREACH|HOSTUNREACH|OFFLINE)|ENOTCACHED/;

class StepError extends Error {}

async function main() {
  checkNode();
  if (!isInstalled()) step('Installing dependencies', install);
  if (!isBuilt()) step('Building', build);
  const { start } = await import(pathToFileURL(ENTRY).href);
  await start();
}

function checkNode() {
  const wanted = readJson(join(ROOT, 'package.json')).engines.node;
  const least = wanted
    .replace(/^>=\s*/, '')
    .split('.')
    .map(Number);
  const here = process.versions.node.split('.').map(Number);
  const at = least.findIndex((part, i) => part !== here[i]);
  if (at >= 0 && here[at] < least[at]) {
    throw new StepError(
      `Node.js ${wanted} is needed, this is ${process.version} (${process.execPath}). See https://nodejs.org/`,
    );
  }
}

/** Compares what npm says it installed with the lock; what is optional may be for other systems. */
function isInstalled() {
  const record = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const there = readJson(record).packages;
  return Object.entries(readJson(join(ROOT, 'package-lock.json')).packages).every(([path, wanted]) => {
    if (path === '' || (wanted.optional && there[path] === undefined)) return true;
    return there[path] !== undefined && there[path].version === wanted.version;
  });
}

function install() {
  const { ok, output } = npm([
    'ci',
    '--include=dev',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    ...cacheOption(),
  ]);
  if (ok) return;
  throw new StepError(
    OFFLINE.test(output)
      ? `npm cannot reach the package registry, which is needed once:\n\n${causes(output)}\n\n` +
          'Check the network, or name a mirror (npm config set registry URL) or a proxy (npm config set proxy URL).'
      : `"npm ci" failed:\n\n${tail(output)}`,
  );
}

/** Of npm's words those about the connection; it adds stacks and advice. */
function causes(output) {
  const lines = output.split('\n');
  const telling = lines.filter((line) => /request to|reason:|code E[A-Z_]+/.test(line));
  return (telling.length > 0 ? [...new Set(telling)] : lines).slice(0, TAIL_LINES).join('\n');
}

/** A cache elsewhere for users whose home directory cannot be written. */
function cacheOption() {
  const cache = process.env.npm_config_cache || join(homedir(), '.npm');
  const nearest = existsSync(cache) ? cache : dirname(cache);
  try {
    accessSync(nearest, constants.W_OK);
    return [];
  } catch {
    const user = process.getuid === undefined ? '' : `-${process.getuid()}`;
    return [`--cache=${join(tmpdir(), `godwit-npm-cache${user}`)}`];
  }
}

function isBuilt() {
  if (![ENTRY, BUNDLE, BUILD_RECORD].every((path) => existsSync(path))) return false;
  const built = statSync(BUILD_RECORD).mtimeMs;
  return BUILD_INPUTS.every((name) => newest(join(ROOT, name)) <= built);
}

function newest(path) {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 0;
  if (!found.isDirectory()) return found.mtimeMs;
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), 0);
}

function build() {
  const started = new Date();
  const { ok, output } = npm(['run', '--silent', 'build']);
  if (!ok) throw new StepError(`"npm run build" failed:\n\n${tail(output)}`);
  // tsc leaves its record alone where the outcome is the same as before.
  utimesSync(BUILD_RECORD, started, started);
}

function step(title, work) {
  const started = Date.now();
  const tty = process.stdout.isTTY === true;
  if (tty) process.stdout.write(`${title} ...`);
  try {
    work();
  } catch (error) {
    if (tty) process.stdout.write(' failed\n');
    throw error;
  }
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  process.stdout.write(tty ? ` ${seconds} s\n` : `${title} ... ${seconds} s\n`);
}

/** The npm that started this, or the one of the path. */
function npm(args) {
  const cli = process.env.npm_execpath;
  return cli !== undefined && basename(cli) === 'npm-cli.js'
    ? run(process.execPath, [cli, ...args])
    : run('npm', args);
}

function run(program, args) {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: MAX_OUTPUT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (error !== undefined && error.code === 'ENOENT') {
    throw new StepError(
      `the program "${program}" is not there; it comes with Node.js (Debian: apt install npm)`,
    );
  }
  if (error !== undefined) throw error;
  return { ok: status === 0, output: `${stdout}${stderr}`.trim().replace(/^/gm, '  ') };
}

function tail(output) {
  const lines = output.split('\n');
  if (lines.length <= TAIL_LINES) return output;
  return [`  (${lines.length - TAIL_LINES} lines before)`, ...lines.slice(-TAIL_LINES)].join('\n');
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

main().catch((error) => {
  process.stderr.write(`godwit: ${error instanceof StepError ? error.message : error.stack}\n`);
  process.exitCode = 1;
});
