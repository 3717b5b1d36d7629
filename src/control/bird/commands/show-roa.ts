// show roa of 1.6: the entries of ROA tables.

import type { RoaView } from '../../../speaker/api/tables.ts';
import { CommandFailure } from '../command-reader.ts';
import type { Command, CommandContext } from '../command-table.ts';
import { CODE, DONE, type Line, line } from '../reply.ts';
import { isAddress, isInside, readPrefix } from './selectors.ts';

export const SHOW_ROA: Command = {
  words: 'show roa',
  usage: '[<prefix> | in <prefix> | for <prefix>] [as <num>] [table <t>]',
  help: 'entries of ROA tables',
  only: '1.6',
  read(reader, syntax) {
    const tests: ((roa: RoaView) => boolean)[] = [];
    while (reader.peek().kind !== 'end') {
      if (isAddress(reader)) {
        const prefix = readPrefix(reader, syntax);
        tests.push((roa) => roa.prefix === prefix);
      } else if (reader.takeWord('as')) {
        const asn = reader.take('number') ?? reader.fail();
        tests.push((roa) => roa.asn === Number(asn));
      } else if (reader.takeWord('table')) {
        const known = reader.takeKnown();
        if (known?.kind !== 'ROA table') {
          throw new CommandFailure(
            CODE.parseError,
            `${known?.name ?? reader.peek().text} is not a ROA table`,
          );
        }
        tests.push((roa) => roa.table === known.name);
      } else if (reader.isWord('in') || reader.isWord('for')) {
        const { text: how } = reader.next();
        if (!isAddress(reader)) reader.fail();
        const prefix = readPrefix(reader, syntax);
        tests.push((roa) => (how === 'in' ? isInside(roa.prefix, prefix) : isInside(prefix, roa.prefix)));
      } else if (reader.peek().kind === 'word') {
        throw new CommandFailure(CODE.parseError, 'IP address expected');
      } else reader.fail();
    }
    return (context) => roaReply(context, (roa) => tests.every((test) => test(roa)));
  },
};

function* roaReply({ api }: CommandContext, wanted: (roa: RoaView) => boolean): Iterable<Line | undefined> {
  if (!api.bird.tables().some(({ type }) => type.startsWith('roa'))) {
    throw new CommandFailure(CODE.parseError, 'No ROA table defined');
  }
  for (const roa of api.bird.roas()) {
    if (roa === undefined) yield undefined;
    else if (wanted(roa)) yield line(CODE.roa, `${roa.prefix} max ${roa.maxLength} as ${roa.asn}`);
  }
  yield DONE;
}
