// Micro-benchmarks of filters: over a table's routes one by one, and what it takes to read and compile a large set.

import { AttributeAccess, bgpRouteFacts } from '../../src/policy/attribute-access.ts';
import { Diagnostics, formatDiagnostic } from '../../src/policy/diagnostics.ts';
import { type Filter, OUTCOME } from '../../src/policy/filter.ts';
import { parsePolicy } from '../../src/policy/parser.ts';
import { PolicyProgram } from '../../src/policy/program.ts';
import { NO_TABLES } from '../../src/policy/route-access.ts';
import { Source } from '../../src/policy/source.ts';
import { peerAddress } from '../../src/speaker/bare-speaker.ts';
import { FILTER_BODY, prefixSetText } from '../filter-text.ts';
import type { MicroInput, MicroRun } from './types.ts';

const DIALECT = '2.x';
const NAME = 'bench';
/** A route's prefix in turn: missing the set, and one of the set's own. */
const HIT_EVERY = 2;
const BLOCK_BASE = 0x0a800000;
const BLOCK_SHIFT = 6;
const BLOCK_BITS = 26;

function compile(text: string): Filter {
  const diagnostics = new Diagnostics();
  const log = { print: () => undefined, error: () => undefined };
  const program = new PolicyProgram(DIALECT, diagnostics, { tables: NO_TABLES, log });
  for (const definition of parsePolicy(new Source(NAME, text), DIALECT, diagnostics)) program.add(definition);
  const filter = program.filter(NAME);
  if (diagnostics.hasErrors || filter === undefined) {
    throw new Error(diagnostics.list.map(formatDiagnostic).join('\n'));
  }
  return filter;
}

function filterText(members: number, body: string): string {
  return `${prefixSetText(members)}\nfilter ${NAME} {\n${body}\n}`;
}

/** `net ~ SET`, half of the prefixes in it. */
export function policySet({ table, sets, setMembers }: MicroInput): MicroRun {
  const filter = compile(filterText(setMembers, 'if net ~ LISTED then reject; accept;'));
  const words = new Int32Array(table.count);
  const lengths = new Uint8Array(table.count);
  for (let i = 0; i < table.count; i++) {
    const hit = i % HIT_EVERY === 0;
    words[i] = hit ? BLOCK_BASE + ((i % setMembers) << BLOCK_SHIFT) : table.words[i]!;
    lengths[i] = hit ? BLOCK_BITS : table.lengths[i]!;
  }
  const set = sets[0]!;
  const access = routeAccess(set);
  const key = new Int32Array(1);
  return {
    items: table.count,
    run: () => {
      let rejected = 0;
      for (let i = 0; i < table.count; i++) {
        key[0] = words[i]!;
        if (filter.evaluate(access.setNet(key, lengths[i]!, 1)) === OUTCOME.reject) rejected++;
      }
      return rejected === Math.ceil(table.count / HIT_EVERY) ? table.count : rejected;
    },
  };
}

/** The whole filter: a set, the path's length, two changed attributes. */
export function policyFilter({ table, sets, setMembers }: MicroInput): MicroRun {
  const filter = compile(filterText(setMembers, FILTER_BODY));
  const peer = peerAddress(0);
  const facts = bgpRouteFacts('peer', peer, peer);
  const access = new AttributeAccess();
  const key = new Int32Array(1);
  return {
    items: table.count,
    run: () => {
      let accepted = 0;
      for (let i = 0; i < table.count; i++) {
        const set = sets[i % sets.length]!;
        key[0] = table.words[i]!;
        access.load(set, 0, set.length, facts).setNet(key, table.lengths[i]!, 1);
        if (filter.evaluate(access) === OUTCOME.accept) accepted++;
      }
      return accepted;
    },
  };
}

/** From text to a filter that can run; an item is a member of the set. */
export function policyCompile({ setMembers }: MicroInput): MicroRun {
  const text = filterText(setMembers, 'if net ~ LISTED then reject; accept;');
  return {
    items: setMembers,
    run: () => (compile(text).name === NAME ? setMembers : 0),
  };
}

function routeAccess(set: Uint8Array): AttributeAccess {
  const peer = peerAddress(0);
  return new AttributeAccess().load(set, 0, set.length, bgpRouteFacts('peer', peer, peer));
}
