// BFD: the options of a session, wherever they stand, and the protocol's own (RFC 5880). What becomes of them in the
// model is to-model-bfd.ts's.

import { number, OptionTable, option, readBlock, toggle, unknownOption } from './options.ts';
import { readPatterns } from './patterns.ts';
import type { BfdOptions, BfdSettings, Password } from './protocol-options.ts';
import type { ConfigReader } from './reader.ts';

const SESSION_OPTIONS = new OptionTable<BfdSettings>([
  option('interval', (reader) => ({ interval: reader.time('the interval') })),
  option('min rx interval', (reader) => ({ minRxInterval: reader.time('the interval') })),
  option('min tx interval', (reader) => ({ minTxInterval: reader.time('the interval') })),
  option('idle tx interval', (reader) => ({ idleTxInterval: reader.time('the interval') })),
  number('multiplier', (multiplier) => ({ multiplier })),
  toggle('passive', (passive) => ({ passive })),
  toggle('graceful', (graceful) => ({ graceful }), '2.x'),
]);

const AUTHENTICATION = [
  'none',
  'simple',
  'keyed md5',
  'keyed sha1',
  'meticulous keyed md5',
  'meticulous keyed sha1',
] as const;

const PASSWORDS = new OptionTable<BfdSettings>([
  option('password', addPassword),
  option('key', addPassword, '2.x'),
]);

const AUTHENTICATION_OPTIONS = new OptionTable<BfdSettings>([
  option('authentication', (reader) => ({
    authentication: reader.phrase('a kind of authentication', AUTHENTICATION),
  })),
  ...PASSWORDS.rows,
  option('passwords', (reader, before) => readSettings(reader, 'in passwords', [PASSWORDS], before)),
]);

function addPassword(reader: ConfigReader, before: BfdSettings): BfdSettings {
  return { passwords: [...(before.passwords ?? []), readPassword(reader)] };
}

/** `{ interval 1 s; ... }` */
export function bfdSettings(reader: ConfigReader, where: string): BfdSettings {
  return readSettings(reader, where, [SESSION_OPTIONS, AUTHENTICATION_OPTIONS], {});
}

function readSettings(
  reader: ConfigReader,
  where: string,
  tables: readonly OptionTable<BfdSettings>[],
  before: BfdSettings,
): BfdSettings {
  let settings = before;
  readBlock(reader, where, () => {
    for (const table of tables) {
      const row = table.take(reader.tokens);
      if (row === undefined) continue;
      settings = { ...settings, ...row.read(reader, settings) };
      return;
    }
    throw unknownOption(reader.tokens, { where, tables });
  });
  return settings;
}

const PASSWORD_TIMES = ['generate from', 'generate to', 'accept from', 'accept to', 'from', 'to'] as const;
const ALGORITHMS = [
  'keyed md5',
  'keyed sha1',
  'hmac sha1',
  'hmac sha256',
  'hmac sha384',
  'hmac sha512',
  'blake2s128',
  'blake2s256',
  'blake2b256',
  'blake2b512',
] as const;
const MAX_PASSWORD_ID = 255;
const MAX_OLD_PASSWORD_ID = 0x7fffffff;

const PASSWORD_OPTIONS = new OptionTable<Password>([
  number('id', (id) => ({ id }), { max: MAX_PASSWORD_ID, only: '2.x' }),
  number('id', (id) => ({ id }), { min: 1, max: MAX_OLD_PASSWORD_ID, only: '1.6' }),
  ...PASSWORD_TIMES.map((words) =>
    option<Password>(words, (reader, before) => ({
      options: [...before.options, `${words} ${readDate(reader)}`],
    })),
  ),
  option(
    'algorithm',
    (reader) => {
      const { last } = reader.tokens;
      const algorithm = reader.phrase('an algorithm', ALGORITHMS);
      reader.diagnostics.error(last, 'BFD has its algorithm in authentication, not in a password');
      return { algorithm };
    },
    '2.x',
  ),
]);

/** Months and days beyond their ends count on into the next. */
const DATE =
  /^\s*([+-]?\d+)-\s*([+-]?\d+)-\s*([+-]?\d+)(?!\d)(?:\s*([+-]?\d+):\s*([+-]?\d+):\s*([+-]?\d+)(\.\d{1,6})?)?$/;
/** BIRD's last second is the 2^40th. */
const END_OF_TIME = 2 ** 40 * 1000;
/** Date.UTC takes smaller years for those of the 20th century. */
const LEAST_YEAR = 100;

/** `"YYYY-MM-DD [HH:MM:SS]"`; 2.x has microseconds as well, and nothing before 1970. */
function readDate(reader: ConfigReader): string {
  const token = reader.tokens.peek();
  const isOld = reader.dialect === '1.6';
  const text = isOld ? reader.tokens.expectString('a time') : reader.text('a time');
  const [, year, month, day, hour = 0, minute = 0, second = 0, fraction] = DATE.exec(text) ?? [];
  const time = Date.UTC(Number(year), Number(month) - 1, Number(day), +hour, +minute, +second);
  const isTime = isOld
    ? year !== undefined && fraction === undefined
    : Number(year) >= LEAST_YEAR && time > 0 && time <= END_OF_TIME;
  if (!isTime) reader.diagnostics.error(token, 'this is no time', 'write "YYYY-MM-DD HH:MM:SS"');
  return text;
}

/** `"secret" [{ id N; ... }]` */
function readPassword(reader: ConfigReader): Password {
  let password: Password = { secret: reader.secret('the password', true), options: [] };
  if (!reader.tokens.isOp('{')) return password;
  readBlock(reader, 'in password', () => {
    const row = PASSWORD_OPTIONS.take(reader.tokens);
    if (row === undefined) {
      throw unknownOption(reader.tokens, { where: 'in password', tables: [PASSWORD_OPTIONS] });
    }
    password = { ...password, ...row.read(reader, password) };
  });
  return password;
}

const ACCEPT_WORDS = ['ipv4', 'ipv6', 'direct', 'multihop'] as const;

export const BFD_OPTIONS = new OptionTable<BfdOptions>([
  option('interface', (reader, before) => {
    const patterns = readPatterns(reader, false);
    const settings = blockOrNothing(reader, 'in interface');
    return { interfaces: [...before.interfaces, { patterns, settings }] };
  }),
  option('multihop', (reader) => ({ multihop: blockOrNothing(reader, 'in multihop') })),
  option('neighbor', (reader, before) => ({ neighbors: [...before.neighbors, readPeer(reader)] })),
  option(
    'accept',
    (reader) => {
      const accept: string[] = [];
      for (let word = takeOne(reader); word !== undefined; word = takeOne(reader)) accept.push(word);
      return { accept };
    },
    '2.x',
  ),
  toggle('strict bind', (strictBind) => ({ strictBind }), '2.x'),
  toggle('zero udp6 checksum rx', (zeroUdp6ChecksumRx) => ({ zeroUdp6ChecksumRx }), '2.x'),
]);

function takeOne(reader: ConfigReader): string | undefined {
  return ACCEPT_WORDS.find((word) => reader.tokens.takeWord(word));
}

function blockOrNothing(reader: ConfigReader, where: string): BfdSettings {
  return reader.tokens.isOp('{') ? bfdSettings(reader, where) : {};
}

/** `ADDRESS [dev "if"] [local ADDRESS] [multihop]` */
function readPeer(reader: ConfigReader): BfdOptions['neighbors'][number] {
  const start = reader.tokens.peek();
  const { address, zone } = reader.zonedAddress("the peer's address");
  const link = reader.tokens.takeWord('dev') ? reader.text('the name of an interface') : zone;
  const local = reader.tokens.takeWord('local') ? reader.address('the local address') : undefined;
  const multihop = reader.tokens.takeWord('multihop') ? reader.toggle() : undefined;
  if (multihop === true && local === undefined) {
    reader.diagnostics.error(
      reader.tokens.spanFrom(start),
      'a multihop peer needs the local address',
      'add local ADDRESS before multihop',
    );
  }
  return {
    address,
    ...(link === undefined ? {} : { interface: link }),
    ...(local === undefined ? {} : { local }),
    ...(multihop === undefined ? {} : { multihop }),
  };
}
