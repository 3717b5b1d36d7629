// Pipe, MRT, BMP and RPKI: protocols of few options.

import { parseFilterUse } from '../../policy/parser.ts';
import { filterUse } from './channels.ts';
import { number, OptionTable, option, readBlock, toggle, unknownOption } from './options.ts';
import type {
  BmpOptions,
  MrtOptions,
  PipeOptions,
  RpkiOptions,
  RpkiTimer,
  RpkiTransport,
} from './protocol-options.ts';
import type { ConfigReader } from './reader.ts';

export const PIPE_OPTIONS = new OptionTable<PipeOptions>([
  option('peer table', (reader) => ({ peerTable: reader.table().name })),
  option('mode', (reader) => ({ mode: reader.choice('a mode', ['opaque', 'transparent']) }), '1.6'),
  number('max generation', (maxGeneration) => ({ maxGeneration }), { max: 254, only: '2.x' }),
]);

export const MRT_OPTIONS = new OptionTable<MrtOptions>([
  option('table', (reader) => ({
    table: reader.tokens.peek().kind === 'string' ? reader.text('a table') : reader.table().name,
  })),
  option('filter', (reader) => ({ filter: filterAfterWord(reader) })),
  option('where', (reader) => ({ filter: filterAfterWord(reader) })),
  option('filename', (reader) => ({ filename: reader.text('the name of the file') })),
  number('period', (period) => ({ period })),
  toggle('always add path', (alwaysAddPath) => ({ alwaysAddPath })),
]);

/** `filter` or `where` belongs to what is read. */
function filterAfterWord(reader: ConfigReader): import('../../policy/ast.ts').FilterUse {
  reader.tokens.rewind(reader.tokens.position - 1);
  return reader.dialect === '2.x' ? filterUse(reader) : parseFilterUse(reader.tokens);
}

export const BMP_OPTIONS = new OptionTable<BmpOptions>([
  option('station address', (reader) => {
    reader.tokens.expectWord('ip');
    const stationAddress = reader.address("the station's address");
    reader.tokens.expectWord('port');
    return { stationAddress, stationPort: reader.port() };
  }),
  option('local address', (reader) => ({ localAddress: reader.address('the local address') })),
  option('system name', (reader) => ({ systemName: reader.text('the name') })),
  option('system description', (reader) => ({ systemDescription: reader.text('the description') })),
  toggle('monitoring rib in pre_policy', (prePolicy) => ({ prePolicy })),
  toggle('monitoring rib in post_policy', (postPolicy) => ({ postPolicy })),
  number('tx buffer limit', (txBufferLimit) => ({ txBufferLimit }), { min: 1 }),
]);

/** Seconds; RFC 8210 §6. */
const RETRY = { min: 1, max: 7200 } as const;
const REFRESH = { min: 1, max: 86_400 } as const;
const EXPIRE = { min: 600, max: 172_800 } as const;
const MAX_PORT = 65535;
const MAX_VERSION = 2;

export const RPKI_OPTIONS = new OptionTable<RpkiOptions>([
  option('remote', (reader, before) => {
    const start = reader.tokens.peek();
    if (before.remote !== undefined) reader.diagnostics.error(start, 'an RPKI protocol has one cache');
    const remote = reader.addressFollows
      ? reader.address('the cache')
      : reader.tokens.expectString("the cache's address or name");
    return reader.tokens.takeWord('port')
      ? { remote, port: reader.number('the port', 0, MAX_PORT) }
      : { remote };
  }),
  number('port', (port) => ({ port }), { max: MAX_PORT }),
  option('local address', (reader) => ({ localAddress: reader.address('the local address') })),
  option('transport', (reader, before) => {
    if (before.transport !== undefined) {
      reader.diagnostics.error(reader.tokens.last, 'an RPKI protocol has one transport');
    }
    return { transport: readTransport(reader) };
  }),
  option('refresh', (reader) => ({ refresh: readTimer(reader, 'refresh', REFRESH) })),
  option('retry', (reader) => ({ retry: readTimer(reader, 'retry', RETRY) })),
  option('expire', (reader) => ({ expire: readTimer(reader, 'expire', EXPIRE) })),
  toggle('ignore max length', (ignoreMaxLength) => ({ ignoreMaxLength })),
  number('min version', (minVersion) => ({ minVersion }), { max: MAX_VERSION }),
  number('max version', (maxVersion) => ({ maxVersion }), { max: MAX_VERSION }),
]);

function readTimer(reader: ConfigReader, what: string, bounds: { min: number; max: number }): RpkiTimer {
  const keep = reader.tokens.takeWord('keep');
  return { seconds: reader.number(what, bounds.min, bounds.max), keep };
}

const TRANSPORT_OPTIONS = new OptionTable<RpkiTransport>([
  option('bird private key', (reader) => ({ privateKey: reader.text('the path of the key') })),
  option('remote public key', (reader) => ({ remoteKey: reader.text('the path of the key') })),
  option('user', (reader) => ({ user: reader.text('the name of the user') })),
  option('authentication', (reader) => {
    reader.choice('', ['none', 'md5']);
    return {};
  }),
  option('password', (reader) => ({ password: reader.secret() })),
]);

function readTransport(reader: ConfigReader): RpkiTransport {
  const kind = reader.choice('a transport', ['tcp', 'ssh']);
  let transport: RpkiTransport = { kind };
  if (kind === 'tcp' && !reader.tokens.isOp('{')) return transport;
  const where = 'in transport';
  readBlock(reader, where, () => {
    const row = TRANSPORT_OPTIONS.take(reader.tokens);
    if (row === undefined) throw unknownOption(reader.tokens, { where, tables: [TRANSPORT_OPTIONS] });
    transport = { ...transport, ...row.read(reader, transport) };
  });
  if (kind === 'ssh' && transport.user === undefined)
    reader.diagnostics.error(reader.tokens.last, 'transport ssh needs a user', 'add user "bird";');
  return transport;
}
