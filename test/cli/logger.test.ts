import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createLog, type LogOptions } from '../../src/cli/logger.ts';
import { redact } from '../../src/cli/redact.ts';
import { Secret } from '../../src/config/model.ts';

async function capture(overrides: Partial<LogOptions> = {}) {
  let out = '';
  const destination = new Writable({
    write(chunk, _encoding, done) {
      out += String(chunk);
      done();
    },
  });
  const log = await createLog({
    level: 'info',
    format: 'json',
    tty: false,
    color: false,
    destination,
    ...overrides,
  });
  return {
    ...log,
    text: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return out;
    },
  };
}

const parse = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('the log', () => {
  test('is JSON with names of levels, times and fields of children', async () => {
    const { logger, text } = await capture();
    logger.child({ peer: 'tor-a' }).warn({ code: 4 }, 'session down');
    logger.debug({}, 'unseen');
    const [line, ...rest] = parse(await text());
    expect(rest).toEqual([]);
    expect(line).toMatchObject({ level: 'warn', peer: 'tor-a', code: 4, msg: 'session down' });
    expect(line.time).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  test('is one readable line on a terminal', async () => {
    const { logger, text } = await capture({ format: 'auto', tty: true });
    logger.info({ peer: 'tor-a', nested: { a: 1 } }, 'session up');
    expect(await text()).toMatch(
      /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\] INFO: session up \{"peer":"tor-a","nested":\{"a":1\}\}\n$/,
    );
  });

  test('changes its level while it runs', async () => {
    const { logger, setLevel, text } = await capture();
    const child = logger.child({ peer: 'a' });
    setLevel('error');
    logger.warn({}, 'unseen');
    setLevel('debug');
    logger.debug({}, 'seen');
    child.error({}, 'seen too');
    expect(parse(await text()).map((line) => line.msg)).toEqual(['seen', 'seen too']);
  });

  test('keeps what an error says and where it came from', async () => {
    const { logger, text } = await capture();
    logger.error({ error: new Error('boom') }, 'fault');
    expect(parse(await text())).toMatchObject([
      { error: { type: 'Error', message: 'boom', stack: expect.stringContaining('logger.test') } },
    ]);
  });
});

describe('secrets', () => {
  const fields = {
    password: 'hunter2',
    peer: { name: 'a', tcpMd5Key: 'hunter2', options: [{ secret: { value: 'hunter2' } }] },
    auth_key: 'hunter2',
    Password: 'hunter2',
    value: new Secret('hunter2'),
    deep: { a: { b: { c: { d: { e: { f: { password: 'hunter2' } } } } } } },
  };

  test.each(['json', 'pretty'] as const)('never reach the log as %s', async (format) => {
    const { logger, text } = await capture({ format });
    logger.error(fields, 'oops');
    logger.child(fields).info({}, 'child');
    const out = await text();
    expect(out).toContain('oops');
    expect(out).not.toContain('hunter2');
  });

  test('names that only look similar stay', () => {
    const kept = { monkey: 1, keyboard: 2, keepalive: 3, passive: true, key: undefined, tokenCount: 4 };
    expect(redact(kept)).toEqual(kept);
    expect(redact({ key: 1, apiToken: 'x', null: null, list: [1, { passwd: 'x' }] })).toEqual({
      key: '<redacted>',
      apiToken: '<redacted>',
      null: null,
      list: [1, { passwd: '<redacted>' }],
    });
  });
});
