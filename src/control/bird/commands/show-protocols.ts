// show protocols, show bfd sessions, and the questions after protocols that are not spoken here.

import { CommandFailure, TOKEN } from '../command-reader.ts';
import { type Command, type CommandContext, timesOf } from '../command-table.ts';
import { protocolReply } from '../render/protocols.ts';
import { CODE, DONE, type Line, line } from '../reply.ts';
import { type Style, textStyle } from '../style.ts';
import { type ProtocolSelector, readProtocols, selectProtocols } from './selectors.ts';

export const SHOW_PROTOCOLS: Command = {
  words: 'show protocols',
  usage: '[all] [<protocol> | "<pattern>"]',
  help: 'protocols with their state; all: everything about them',
  read(reader, syntax) {
    const details = reader.takeWord('all');
    const expected = [TOKEN.end, TOKEN.known, TOKEN.text, ...(details ? [] : [TOKEN.all])];
    let selector: ProtocolSelector = { kind: 'all' };
    if (reader.peek().kind !== 'end') {
      if (reader.isWord('all')) reader.fail(expected);
      selector = readProtocols(reader, syntax, expected);
    }
    reader.expectEnd();
    return (context) => {
      const protocols = selectProtocols(context.api.bird.protocols({ details }), selector);
      return protocolReply(protocols, { style: context.style, details, times: timesOf(context) });
    };
  },
};

/** Of the times, which 1.6 writes shorter. */
const SINCE_COLUMN: Readonly<Record<Exclude<Style, 'json'>, number>> = { bird1: 10, bird2: 12 };
const MS_PER_SECOND = 1000;

export const SHOW_BFD_SESSIONS: Command = {
  words: 'show bfd sessions',
  usage: '[<protocol>]',
  help: 'sessions of Bidirectional Forwarding Detection',
  read(reader) {
    const known = reader.peek().kind === 'end' ? undefined : reader.takeKnown();
    reader.expectEnd(known === undefined ? [TOKEN.end, TOKEN.known] : [TOKEN.end]);
    return (context) => {
      const running = context.api.bird.protocols().filter(({ kind }) => kind === 'bfd');
      if (known !== undefined && !running.some(({ name }) => name === known.name)) {
        throw new CommandFailure(CODE.parseError, `${known.name}: Not a BFD protocol`);
      }
      const name = known?.name ?? running[0]?.name;
      if (name === undefined) throw noProtocol('BFD');
      return bfdReply(context, name);
    };
  },
};

function* bfdReply(context: CommandContext, name: string): Iterable<Line> {
  const { api, style } = context;
  const times = timesOf(context);
  const sessions = api.bfdSessions();
  if (style === 'json') {
    for (const session of sessions) yield line(CODE.bfd, JSON.stringify(session));
    yield DONE;
    return;
  }
  yield line(CODE.bfd, `${name}:`);
  const width = SINCE_COLUMN[textStyle(style)];
  const columnHeads = `${'IP address'.padEnd(25)} ${'Interface'.padEnd(10)} ${'State'.padEnd(10)} ${'Since'.padEnd(width)}`;
  yield line(CODE.bfd, `${columnHeads}  Interval  Timeout`);
  for (const { address, interface: link, state, since, interval, timeout } of sessions) {
    const seconds = (ms: number): string => (ms / MS_PER_SECOND).toFixed(3).padStart(7);
    const columns = [
      address.padEnd(25),
      (link ?? '---').padEnd(10),
      state.padEnd(10),
      `${times.write('protocol', since).padEnd(width)} `,
      `${seconds(interval)} `,
      seconds(timeout),
    ];
    yield line(CODE.bfd, columns.join(' '));
  }
  yield DONE;
}

function noProtocol(name: string): CommandFailure {
  return new CommandFailure(CODE.parseError, `There is no ${name} protocol running`);
}

/** Questions about protocols that are not spoken here, answered as by a daemon that runs none of them. */
function absent(protocol: string, words: string, usage: string, only?: '2.x'): Command {
  return {
    words,
    usage,
    help: `${protocol}, which is not spoken here`,
    ...(only !== undefined && { only }),
    read(reader) {
      reader.takeWord('all');
      if (
        reader.peek().kind !== 'end' &&
        reader.takeKnown() === undefined &&
        reader.take('text') === undefined
      ) {
        reader.fail([TOKEN.end, TOKEN.known, TOKEN.text]);
      }
      return () => {
        throw noProtocol(protocol);
      };
    },
  };
}

export const ABSENT_PROTOCOLS: readonly Command[] = [
  absent('OSPF', 'show ospf', '[<name>]'),
  absent('OSPF', 'show ospf neighbors', '[<name>] ["<interface>"]'),
  absent('OSPF', 'show ospf interface', '[<name>] ["<interface>"]'),
  absent('OSPF', 'show ospf topology', '[all] [<name>]'),
  absent('OSPF', 'show ospf state', '[all] [<name>]'),
  absent('OSPF', 'show ospf lsadb', '...'),
  absent('RIP', 'show rip interfaces', '[<name>] ["<interface>"]'),
  absent('RIP', 'show rip neighbors', '[<name>] ["<interface>"]'),
  absent('Babel', 'show babel interfaces', '[<name>] ["<interface>"]', '2.x'),
  absent('Babel', 'show babel neighbors', '[<name>] ["<interface>"]', '2.x'),
  absent('Babel', 'show babel entries', '[<name>]', '2.x'),
  absent('Babel', 'show babel routes', '[<name>]', '2.x'),
];
