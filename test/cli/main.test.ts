import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CLIENTS, DAEMONS } from '../../src/cli/bird/faces.ts';
import { main } from '../../src/cli/main.ts';
import { OutputClosedError } from '../../src/cli/terminal.ts';
import { packageRoot, packageVersion } from '../../src/lib/package-info.ts';
import { fakeTerminal, startControlLab } from '../support/control-lab.ts';

async function godwit(words: readonly string[], terminal = fakeTerminal()) {
  const code = await main(words, terminal);
  return { code, out: terminal.out, err: terminal.err };
}

describe('usage', () => {
  test('the version, in every spelling', async () => {
    for (const word of ['--version', '-V']) {
      expect(await godwit([word])).toEqual({ code: 0, out: `${packageVersion()}\n`, err: '' });
    }
    expect(packageVersion()).toMatch(/^\d+\.\d+\.\d+/);
  });

  test('help names every command and the exit codes', async () => {
    const { code, out } = await godwit(['--help']);
    expect(code).toBe(0);
    for (const word of ['run', 'check', 'status', 'show', 'explain', 'watch', 'peer', 'network', 'reload']) {
      expect(out).toMatch(new RegExp(`^  ${word} `, 'm'));
    }
    expect(out).toContain('3  the daemon cannot be reached');
    for (const face of [...Object.keys(DAEMONS), ...Object.keys(CLIENTS)]) {
      expect(out).toMatch(new RegExp(`\\b${face}\\b`));
    }
    expect(out).not.toContain('__peers');
  });

  test.each([
    [['bogus'], "error: unknown command 'bogus'"],
    [['show', 'bogus'], "error: unknown command 'bogus'"],
    [['status', '--bogus'], "error: unknown option '--bogus'"],
    [['status', 'extra'], 'error: too many arguments'],
    [['explain'], "error: missing required argument 'PREFIX'"],
    [
      ['peer', 'a', 'explode'],
      'Allowed choices are up, down, reset, refresh, drain, undrain, record, unrecord, capture.',
    ],
    [['show', 'routes', '--family', 'x'], 'Allowed choices are ipv4-unicast, ipv6-unicast.'],
    [['network', 'add', '::/0', '--med', '-1'], 'It must be a number between 0 and 4294967295.'],
    [['network', 'add', '::/0', '--med', '4294967296'], 'It must be a number between 0 and 4294967295.'],
    [['run', 'a.yaml', '-c', 'b.yaml'], 'error: FILE and --config say the same'],
    [['completion', 'csh'], 'Allowed choices are bash, zsh, fish.'],
  ])('%j is refused with 2', async (words, message) => {
    const { code, out, err } = await godwit(words);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(message);
    expect(err).toContain('--help');
  });

  test('a bare group of commands shows what there is', async () => {
    const { code, err } = await godwit(['show']);
    expect(code).toBe(2);
    expect(err).toContain('routes');
  });
});

describe('the daemon', () => {
  test('that is not there is 3, with the socket and what to try', async () => {
    const { code, err } = await godwit(
      ['status'],
      fakeTerminal({ env: { GODWIT_SOCKET: '/nonexistent/g.sock' } }),
    );
    expect(code).toBe(3);
    expect(err).toBe(
      'godwit: There is no socket /nonexistent/g.sock. Is the daemon running (godwit run -c FILE)? ' +
        'If the daemon uses another socket, name it with --socket PATH or GODWIT_SOCKET.\n',
    );
  });

  test('is found by the environment, and by the option before that', async () => {
    await using lab = await startControlLab();
    const env = { GODWIT_SOCKET: lab.socket };
    expect(await godwit(['show', 'groups'], fakeTerminal({ env }))).toMatchObject({ code: 0 });
    const wrong = { GODWIT_SOCKET: '/nonexistent' };
    expect(await godwit(['-s', lab.socket, 'show', 'groups'], fakeTerminal({ env: wrong }))).toMatchObject({
      code: 0,
    });
    expect(await godwit(['show', 'groups', '-s', lab.socket], fakeTerminal({ env: wrong }))).toMatchObject({
      code: 0,
    });
  });

  test('is not asked on when the reader of the output is gone', async () => {
    await using lab = await startControlLab();
    const terminal = fakeTerminal({
      write: async () => {
        throw new OutputClosedError();
      },
    });
    expect(await lab.godwit(['show', 'routes'], terminal)).toMatchObject({ code: 0, err: '' });
    expect(await godwit(['--version'], terminal)).toMatchObject({ code: 0, err: '' });
  });

  test('colours on a terminal only', async () => {
    await using lab = await startControlLab();
    const plain = await lab.godwit(['show', 'peers']);
    const coloured = await lab.godwit(['show', 'peers'], fakeTerminal({ color: true, columns: 200 }));
    expect(plain.out).not.toContain('\u001b');
    expect(coloured.out).toContain('\u001b[32mEstablished');
    expect((await lab.godwit(['show', 'peers', '--json'], fakeTerminal({ color: true }))).out).not.toContain(
      '\u001b',
    );
  });
});

describe('check', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'godwit-check-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));
  async function check(text: string, ...words: string[]) {
    const file = join(directory, 'godwit.yaml');
    await writeFile(file, text);
    return { file, ...(await godwit(['check', file, ...words])) };
  }
  const GOOD =
    'router: { asn: 64512, id: 10.99.0.1 }\npeers: [{ address: 10.99.0.2, asn: 64512, password: hunter2 }]\n';
  const BAD =
    'router: { asn: 0, id: 10.99.0.1 }\npeers: [{ address: 10.99.0.2x, asn: 1, password: hunter2 }]\n';

  test('a good file', async () => {
    const { file, code, out, err } = await check(GOOD);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain(`${file} is good\n`);
    expect(out).toContain('AS 64512');
    expect(out).not.toContain('hunter2');
  });

  test('a bad file shows all that is wrong, and no secret', async () => {
    const { file, code, out, err } = await check(BAD);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(`${file}:1:`);
    expect(err).toContain(`${file}:2:`);
    expect(err).toMatch(/\d errors?\n$/);
    expect(err).not.toContain('hunter2');
  });

  test('for a script', async () => {
    const bad = await check(BAD, '--json');
    expect(bad).toMatchObject({ code: 1, err: '' });
    const report = JSON.parse(bad.out);
    expect(report).toMatchObject({ ok: false, file: bad.file });
    expect(report.issues.map((issue: { line: number }) => issue.line)).toEqual(
      expect.arrayContaining([1, 2]),
    );
    expect(bad.out).not.toContain('hunter2');
    expect(JSON.parse((await check(GOOD, '--json')).out)).toMatchObject({ ok: true, issues: [] });
  });

  test('a file that is not there', async () => {
    const { code, err } = await godwit(['check', join(directory, 'none.yaml')]);
    expect(code).toBe(1);
    expect(err).toContain('cannot be read');
  });
});

test('the launcher says when nothing is built', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'godwit-launcher-'));
  const copy = join(directory, 'bin', 'godwit.mjs');
  const { cp } = await import('node:fs/promises');
  await cp(join(packageRoot(), 'bin', 'godwit.js'), copy);
  await expect(promisify(execFile)(process.execPath, [copy])).rejects.toMatchObject({
    code: 1,
    stderr: 'godwit: it is not built yet; run: npm run build\n',
  });
  await rm(directory, { recursive: true });
});

test.each([
  [undefined, '3'],
  ['7', '7'],
])('the program limits the heaps of libc unless it is told how (%s)', async (set, expected) => {
  const directory = await mkdtemp(join(tmpdir(), 'godwit-launcher-'));
  const copy = join(directory, 'bin', 'godwit.mjs');
  const { cp, mkdir, symlink } = await import('node:fs/promises');
  await cp(join(packageRoot(), 'bin', 'godwit.js'), copy);
  await mkdir(join(directory, 'dist', 'bundle'), { recursive: true });
  await writeFile(
    join(directory, 'dist', 'bundle', 'main.js'),
    'exports.start = () => console.log(process.env.MALLOC_ARENA_MAX, process.argv.slice(1).join(" "));',
  );
  // As npm puts it into the path, with arguments that a shell would take apart.
  const link = join(directory, 'bird');
  await symlink(copy, link);
  const env = { ...process.env, MALLOC_ARENA_MAX: set };
  const { stdout, stderr } = await promisify(execFile)(link, ['-c', 'a  b $c'], { env });
  expect([stdout, stderr]).toEqual([`${expected} ${link} -c a  b $c\n`, '']);
  await rm(directory, { recursive: true });
});
