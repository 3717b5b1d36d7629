// show route: selectors in any order, tables one after the other, counted or listed.

import type { TableAnswer, TableCount, TableQuery } from '../../../speaker/api/tables.ts';
import { CommandError } from '../../protocol.ts';
import { CommandFailure, type CommandReader, TOKEN } from '../command-reader.ts';
import { type Command, type CommandContext, type Syntax, timesOf } from '../command-table.ts';
import { isKeyword } from '../keywords.ts';
import { RouteWriter } from '../render/routes.ts';
import { CODE, DONE, type Line, line } from '../reply.ts';
import type { Token } from '../tokens.ts';
import { isAddress, readAddressOrPrefix, readPrefix, readProtocolName } from './selectors.ts';

/** Words that end a condition. */
const SELECTORS: ReadonlySet<string> = new Set([
  'for',
  'in',
  'table',
  'import',
  'export',
  'preexport',
  'noexport',
  'exported',
  'filter',
  'where',
  'all',
  'primary',
  'filtered',
  'protocol',
  'stats',
  'count',
]);

interface RouteRequest {
  query: TableQuery;
  tables: string[];
  details: boolean;
  /** list: routes; stats: with their number; count: only that. */
  output: 'list' | 'stats' | 'count';
}

type Selector = (reader: CommandReader, request: RouteRequest, syntax: Syntax) => void;

/** What follows each word. */
const READ_SELECTOR: Readonly<Record<string, { readonly only?: Syntax; readonly read: Selector }>> = {
  for: {
    read: (reader, request, syntax) => {
      setNet(request, readAddressOrPrefix(reader, syntax), 'covering');
    },
  },
  in: {
    only: '2.x',
    read: (reader, request, syntax) => {
      if (!isAddress(reader)) reader.fail();
      setNet(request, readPrefix(reader, syntax), 'inside');
    },
  },
  table: { read: readTable },
  import: {
    only: '2.x',
    read: (reader, request) => {
      if (!reader.takeWord('table')) reader.fail(['TABLE']);
      request.query.importTable = readChannel(reader);
    },
  },
  export: {
    read: (reader, request, syntax) => {
      if (syntax === '2.x' && reader.takeWord('table')) request.query.exportTable = readChannel(reader);
      else readExport('export', ['TABLE'])(reader, request, syntax);
    },
  },
  preexport: { read: readExport('preexport') },
  noexport: { read: readExport('noexport') },
  exported: { only: '2.x', read: readExport('exported') },
  filter: {
    read: (reader, request, syntax) => {
      const text = reader.isOp('{') ? reader.block() : filterName(reader, syntax);
      setFilter(request, { kind: 'filter', text });
    },
  },
  where: {
    read: (reader, request) => {
      const text = reader.textUntil(SELECTORS);
      if (text === '') reader.fail();
      setFilter(request, { kind: 'where', text });
    },
  },
  all: {
    read: (_reader, request) => {
      request.details = true;
    },
  },
  primary: {
    read: (_reader, request) => {
      request.query.primaryOnly = true;
    },
  },
  filtered: {
    read: (_reader, request) => {
      request.query.filtered = true;
    },
  },
  protocol: {
    read: (reader, request, syntax) => {
      if (request.query.protocol !== undefined) {
        throw new CommandFailure(CODE.parseError, 'Protocol specified twice');
      }
      request.query.protocol = readProtocolName(reader, syntax, [TOKEN.known], CODE.parseError);
      request.query.isIndirect = true;
    },
  },
  stats: {
    read: (_reader, request) => {
      request.output = 'stats';
    },
  },
  count: {
    read: (_reader, request) => {
      request.output = 'count';
    },
  },
};

function setNet(request: RouteRequest, text: string, match: 'exact' | 'covering' | 'inside'): void {
  if (request.query.net !== undefined) {
    throw new CommandFailure(CODE.parseError, 'Only one prefix expected');
  }
  request.query.net = { text, match };
}

function setFilter(request: RouteRequest, filter: NonNullable<TableQuery['filter']>): void {
  if (request.query.filter !== undefined) {
    throw new CommandFailure(CODE.parseError, 'Filter specified twice');
  }
  request.query.filter = filter;
}

function readTable(reader: CommandReader, request: RouteRequest, syntax: Syntax): void {
  request.query.isIndirect = false;
  if (syntax === '2.x' && reader.takeWord('all')) {
    request.query.tables = 'all';
    return;
  }
  if (reader.peek().kind !== 'word') reader.fail([TOKEN.known, TOKEN.all]);
  const known = reader.takeKnown();
  if (known?.kind === 'routing table') {
    request.tables.push(known.name);
    return;
  }
  if (syntax === '1.6' && (known !== undefined || !isKeyword(reader.peek().text))) {
    throw new CommandFailure(CODE.parseError, `${known?.name ?? reader.peek().text} is not a table`);
  }
  if (known === undefined) reader.fail([TOKEN.known, TOKEN.all]);
  throw new CommandFailure(CODE.parseError, 'Table name required');
}

function readExport(
  stage: NonNullable<TableQuery['export']>['stage'],
  more: readonly string[] = [],
): Selector {
  return (reader, request, syntax) => {
    const protocol = readProtocolName(reader, syntax, [TOKEN.known, ...more], CODE.parseError);
    if (request.query.export !== undefined) {
      const what = syntax === '1.6' ? 'Protocol' : 'Export';
      throw new CommandFailure(CODE.parseError, `${what} specified twice`);
    }
    request.query.export = { protocol, stage, ...readChannelName(reader, syntax) };
    request.query.isIndirect = true;
  };
}

/** `.ipv4` behind a protocol's name. */
function readChannelName(reader: CommandReader, syntax: Syntax): { channel?: string } {
  if (syntax === '1.6' || !reader.takeOp('.')) return {};
  const channel = reader.take('word');
  if (channel === undefined) reader.fail();
  return { channel };
}

function readChannel(reader: CommandReader): { protocol: string; channel: string } {
  const protocol = readProtocolName(reader, '2.x');
  if (!reader.takeOp('.')) reader.fail(["'.'"]);
  const channel = reader.take('word');
  if (channel === undefined) reader.fail();
  return { protocol, channel };
}

function filterName(reader: CommandReader, syntax: Syntax): string {
  const { kind } = reader.peek();
  const known = kind === 'word' ? reader.takeKnown() : undefined;
  if (known?.kind === 'filter') return known.name;
  if (syntax === '2.x') {
    if (known !== undefined) throw new CommandFailure(CODE.parseError, 'Filter name required');
    return reader.fail();
  }
  if (kind === 'word' && (known !== undefined || reader.peek().kind !== 'end')) {
    throw new CommandFailure(CODE.parseError, 'No such filter.');
  }
  return reader.fail();
}

export const SHOW_ROUTE: Command = {
  words: 'show route',
  usage:
    '[<prefix> | for <prefix> | for <ip> | in <prefix>] [table <t> | table all] [(import | export) table <p>.<c>] ' +
    '[filter <f> | where <cond>] [all] [primary] [filtered] [(export | preexport | noexport) <p>] [protocol <p>] ' +
    '[stats | count]',
  help: 'routes of the tables',
  read(reader, syntax) {
    const request: RouteRequest = {
      query: { tables: undefined },
      tables: [],
      details: false,
      output: 'list',
    };
    while (reader.peek().kind !== 'end') {
      if (isAddress(reader)) {
        setNet(request, readPrefix(reader, syntax), 'exact');
        continue;
      }
      const token = reader.peek();
      const selector = token.kind === 'word' ? READ_SELECTOR[token.text] : undefined;
      if (selector === undefined || (selector.only ?? syntax) !== syntax) {
        if (syntax === '1.6' && isForeign(token)) {
          throw new CommandFailure(CODE.parseError, 'IP address expected');
        }
        if (syntax === '2.x' && reader.takeKnown() !== undefined) {
          throw new CommandFailure(CODE.parseError, 'Network constant expected');
        }
        return reader.fail();
      }
      reader.next();
      selector.read(reader, request, syntax);
    }
    if (request.query.tables === undefined && request.tables.length > 0) {
      // 1.6 has one table in an answer: the first.
      request.query.tables = syntax === '1.6' ? request.tables.slice(0, 1) : request.tables;
    }
    const { filtered, primaryOnly, export: exported } = request.query;
    if (syntax === '2.x' && filtered && (primaryOnly || exported !== undefined)) {
      throw new CommandFailure(CODE.parseError, 'Incompatible show route options');
    }
    return (context) => routeReply(context, request);
  },
};

/** Words that are no keywords of 1.6. */
function isForeign({ kind, text }: Token): boolean {
  return kind === 'word' && (READ_SELECTOR[text] === undefined || text === 'exported');
}

function routeReply(context: CommandContext, request: RouteRequest): Iterable<Line | undefined> {
  const answers = answersOf(context, request.query);
  if (context.style === 'json') return listJson(context, answers, request);
  return context.style === 'bird1' ? list1(context, answers, request) : list2(context, answers, request);
}

/** 1.6 has a code of its own for protocols that are down. */
function answersOf({ api, style }: CommandContext, query: TableQuery): TableAnswer[] {
  try {
    return api.bird.routes(query);
  } catch (error) {
    if (style !== 'bird1' || !(error instanceof CommandError) || error.code !== 'failed') throw error;
    throw new CommandFailure(CODE.protocolDown, error.message);
  }
}

function* listJson(
  context: CommandContext,
  answers: readonly TableAnswer[],
  { output, details }: RouteRequest,
): Iterable<Line | undefined> {
  const writer = new RouteWriter({ style: 'json', details, times: timesOf(context) });
  for (const answer of answers) {
    if (output === 'count') yield* answer.skim();
    else {
      for (const route of answer.routes()) yield* route === undefined ? [undefined] : writer.write(route);
    }
    if (output !== 'list') yield line(CODE.routeCount, JSON.stringify(answer.count()));
  }
  yield DONE;
}

function* list1(
  context: CommandContext,
  answers: readonly TableAnswer[],
  { query, output, details }: RouteRequest,
): Iterable<Line | undefined> {
  const writer = new RouteWriter({ style: 'bird1', details, times: timesOf(context) });
  // A protocol that exports nothing has no answer.
  const [answer] = answers;
  if (output === 'count') yield* answer?.skim() ?? [];
  else {
    for (const route of answer?.routes() ?? [])
      yield* route === undefined ? [undefined] : writer.write(route);
  }
  const count = answer?.count() ?? NOTHING;
  if (isLookup(query)) {
    yield count.networks > 0 ? DONE : line(CODE.networkNotFound, 'Network not in table');
  } else if (output !== 'list') yield line(CODE.routeCount, countText(count));
  else yield DONE;
}

/** A question after one prefix, which is there or not: nothing is counted. */
function isLookup({ net }: TableQuery): boolean {
  return net !== undefined && net.match !== 'inside';
}

function* list2(
  context: CommandContext,
  answers: readonly TableAnswer[],
  { query, output, details }: RouteRequest,
): Iterable<Line | undefined> {
  const writer = new RouteWriter({ style: 'bird2', details, times: timesOf(context) });
  const lookup = isLookup(query);
  let headed = 0;
  for (const answer of answers) {
    if (output === 'count') {
      yield* answer.skim();
      if (!lookup) yield line(CODE.route, `${countText(answer.count())} in table ${answer.table}`);
      continue;
    }
    let open = false;
    const heading = function* (): Iterable<Line> {
      open = true;
      if (headed++ > 0) yield line(CODE.route, '');
      yield line(CODE.route, `Table ${answer.table}:`);
    };
    const isShown = answer.named && query.isIndirect !== true;
    if (!lookup && (isShown || output === 'stats')) yield* heading();
    for (const route of answer.routes()) {
      if (route === undefined) {
        yield undefined;
        continue;
      }
      if (!open) yield* heading();
      yield* writer.write(route);
    }
    if (output === 'stats' && !lookup) {
      yield line(CODE.route, `${countText(answer.count())} in table ${answer.table}`);
    }
  }
  if (!lookup) yield* ending(answers, output);
  else if (answers.some((answer) => answer.count().networks > 0)) yield DONE;
  else yield line(CODE.networkNotFound, 'Network not found');
}

function* ending(answers: readonly TableAnswer[], output: RouteRequest['output']): Iterable<Line> {
  if (output !== 'list' && answers.length > 1) {
    if (output === 'stats') yield line(CODE.route, '');
    const total = answers.map((answer) => answer.count()).reduce(addCounts);
    yield line(CODE.routeCount, `Total: ${countText(total)} in ${answers.length} tables`);
  } else yield DONE;
}

const NOTHING: TableCount = { table: '', shown: 0, routes: 0, networks: 0 };

function countText({ shown, routes, networks }: TableCount): string {
  return `${shown} of ${routes} routes for ${networks} networks`;
}

function addCounts(a: TableCount, b: TableCount): TableCount {
  return {
    table: '',
    shown: a.shown + b.shown,
    routes: a.routes + b.routes,
    networks: a.networks + b.networks,
  };
}
