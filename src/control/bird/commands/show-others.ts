// show status, memory, interfaces, symbols and static.

import type { ProtocolView } from '../../../speaker/api/protocols.ts';
import type { InterfaceView, StaticRouteView, SymbolKind } from '../../../speaker/api/tables.ts';
import { CommandFailure, TOKEN } from '../command-reader.ts';
import { type Command, type CommandContext, type Syntax, timesOf } from '../command-table.ts';
import { isKeyword } from '../keywords.ts';
import { timer } from '../render/fields.ts';
import { interfaceLines, summaryLines } from '../render/interfaces.ts';
import { memoryLines } from '../render/memory.ts';
import { staticLines } from '../render/static.ts';
import { CODE, DONE, type Line, line } from '../reply.ts';

export const SHOW_STATUS: Command = {
  words: 'show status',
  usage: '',
  help: 'version, router id, times and state of the daemon',
  read(reader) {
    reader.expectEnd();
    return statusReply;
  },
};

function* statusReply(context: CommandContext): Iterable<Line> {
  const { api, style, version, clock } = context;
  const status = api.status();
  const { hostname } = api.bird.configuration();
  const recovery = api.bird.recovery();
  if (style === 'json') {
    yield line(CODE.version, JSON.stringify({ ...status, compatibleWith: `BIRD ${version}`, recovery }));
    yield DONE;
    return;
  }
  const times = timesOf(context);
  yield line(CODE.version, `BIRD ${version}`);
  yield line(CODE.uptime, `Router ID is ${status.routerId}`);
  if (style === 'bird2') yield line(CODE.uptime, `Hostname is ${hostname}`);
  yield line(CODE.uptime, `Current server time is ${times.write('base', clock.wallTime())}`);
  yield line(CODE.uptime, `Last reboot on ${times.write('base', status.startedAt)}`);
  yield line(CODE.uptime, `Last reconfiguration on ${times.write('base', status.reconfiguredAt)}`);
  if (recovery !== undefined) {
    const dialect = style === 'bird1' ? '1.6' : '2.x';
    yield line(CODE.gracefulRestart, 'Graceful restart recovery in progress');
    yield line(CODE.gracefulRestart, `  Waiting for ${recovery.waitingFor} protocols to recover`);
    yield line(CODE.gracefulRestart, `  Wait timer is ${timer(recovery.timer, dialect)}`);
  }
  yield line(CODE.statusReport, STATE_SENTENCES[status.state]);
}

const STATE_SENTENCES = {
  starting: 'Daemon is up and running',
  running: 'Daemon is up and running',
  stopping: 'Shutdown in progress',
} as const;

export const SHOW_MEMORY: Command = {
  words: 'show memory',
  usage: '',
  help: 'memory in use',
  read(reader) {
    reader.expectEnd();
    return function* ({ api, style }) {
      for (const text of memoryLines(api.status(), style)) yield line(CODE.memory, text);
      yield DONE;
    };
  },
};

export const SHOW_INTERFACES: Command = {
  words: 'show interfaces',
  usage: '[summary]',
  help: 'network interfaces with their addresses',
  read(reader) {
    const summary = reader.takeWord('summary');
    reader.expectEnd(summary ? [TOKEN.end] : [TOKEN.end, 'SUMMARY']);
    return function* ({ api, style }) {
      const family = api.bird.configuration().family ?? 'ipv4';
      const interfaces = api.bird
        .interfaces()
        .map((each) => (style === 'bird1' ? narrow(each, family) : each));
      if (style === 'json') {
        for (const each of interfaces) yield line(CODE.interface, JSON.stringify(each));
      } else if (summary) yield* summaryLines(interfaces, style);
      else for (const each of interfaces) yield* interfaceLines(each, style);
      yield DONE;
    };
  },
};

const SCOPES = ['host', 'link', 'site', 'univ'] as const;

/** 1.6 sees one family, an interface without an address of it as down, and of several the one that reaches farthest. */
function narrow(link: InterfaceView, family: 'ipv4' | 'ipv6'): InterfaceView {
  const own = link.addresses.filter(({ address }) => address.includes(':') === (family === 'ipv6'));
  const eligible = own.filter(({ rank }) => rank !== 'secondary');
  const farthest = Math.max(...eligible.map(({ scope }) => SCOPES.indexOf(scope)));
  const primary = eligible.find(({ scope }) => SCOPES.indexOf(scope) === farthest);
  const addresses = own.map((each) => {
    const rank = each === primary ? 'primary' : each.rank === 'secondary' ? 'secondary' : 'other';
    return { ...each, rank } as const;
  });
  // The one that is selected comes first.
  addresses.sort((a, b) => Number(b.rank === 'primary') - Number(a.rank === 'primary'));
  return { ...link, addresses, up: link.up && addresses.length > 0 };
}

/** Words that stand for a kind of name, by dialect's own words. */
const KINDS_BY_WORD: Readonly<Record<string, SymbolKind>> = {
  table: 'routing table',
  function: 'function',
  filter: 'filter',
  protocol: 'protocol',
  template: 'protocol template',
};

export const SHOW_SYMBOLS: Command = {
  words: 'show symbols',
  usage: '[table | filter | function | protocol | template | roa | <symbol>]',
  help: 'names of the configuration',
  read(reader, syntax) {
    let kind: SymbolKind | undefined;
    let asked: string | undefined;
    // Of several the last one counts, and a name more than a kind.
    while (reader.peek().kind !== 'end') {
      const { kind: is, text } = reader.peek();
      if (is !== 'word') reader.fail();
      const found = syntax === '1.6' && text === 'roa' ? 'ROA table' : KINDS_BY_WORD[text];
      if (found === undefined && isKeyword(text)) reader.fail();
      if (found === undefined) asked = text;
      else kind = found;
      reader.next();
    }
    return function* ({ api, style }) {
      const text = (name: string, what: string): string =>
        style === 'json' ? JSON.stringify({ name, kind: what }) : `${name.padEnd(8)}\t${what}`;
      const symbols = api.bird.symbols();
      if (asked !== undefined) {
        const found = symbols.find(({ name }) => name === asked);
        yield line(CODE.symbol, text(asked, found?.kind ?? 'undefined'));
        return;
      }
      for (const symbol of symbols) {
        const tableOf1 = style !== 'bird1' && kind === 'routing table' && symbol.kind === 'ROA table';
        if (kind === undefined || symbol.kind === kind || tableOf1) {
          yield line(CODE.symbol, text(symbol.name, symbol.kind));
        }
      }
      yield DONE;
    };
  },
};

export const SHOW_STATIC: Command = {
  words: 'show static',
  usage: '[<protocol>]',
  help: 'routes of static protocols',
  read(reader, syntax) {
    const token = reader.peek();
    const known = token.kind === 'end' ? undefined : reader.takeKnown();
    if (known === undefined && token.kind !== 'end') {
      if (syntax === '1.6' && token.kind === 'word') {
        throw new CommandFailure(CODE.parseError, `${token.text}: Not a protocol`);
      }
      reader.fail([TOKEN.end, TOKEN.known]);
    }
    reader.expectEnd();
    return function* ({ api, style }) {
      const shown = namedOrRunning(api.bird.protocols(), known?.name, syntax);
      const routes = api.bird.staticRoutes();
      yield* staticReply(
        shown.map(({ name, state }) => {
          const own = routes.filter(({ protocol }) => protocol === name);
          return state === 'down' ? own.map(asleep) : own;
        }),
        style,
      );
      yield DONE;
    };
  },
};

/** 1.6 does not choose between several. */
function namedOrRunning(
  protocols: readonly ProtocolView[],
  wanted: string | undefined,
  syntax: Syntax,
): ProtocolView[] {
  const statics = protocols.filter(({ kind }) => kind === 'static');
  if (wanted !== undefined) {
    const named = statics.filter(({ name }) => name === wanted);
    if (named.length > 0) return named;
    throw new CommandFailure(CODE.parseError, `${wanted}: Not a Static protocol`);
  }
  const running = statics.filter(({ state }) => state !== 'down');
  if (running.length === 0) throw new CommandFailure(CODE.parseError, 'There is no Static protocol running');
  if (syntax === '1.6' && running.length > 1) {
    throw new CommandFailure(CODE.parseError, 'There are multiple Static protocols running');
  }
  return running;
}

function asleep(route: StaticRouteView): StaticRouteView {
  return { ...route, dormant: true, via: route.via.map((hop) => ({ ...hop, dormant: true })) };
}

/** 2.x parts one protocol's routes from the next one's. */
function* staticReply(lists: readonly StaticRouteView[][], style: CommandContext['style']): Iterable<Line> {
  for (const [at, list] of lists.entries()) {
    if (at > 0 && style === 'bird2') yield line(CODE.static, '');
    for (const route of list) {
      if (style === 'json') yield line(CODE.static, JSON.stringify(route));
      else for (const text of staticLines(route, style)) yield line(CODE.static, text);
    }
  }
}
