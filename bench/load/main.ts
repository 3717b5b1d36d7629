// The load process: `load PLAN.json`. See plan.ts for what goes in and out.

import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { systemClock } from '../../src/lib/clock.ts';
import { errorText } from '../../src/lib/error-text.ts';
import { tablesFromMessages, tablesFromMrt } from './from-files.ts';
import { startHostile, stopHostile } from './hostile-process.ts';
import { Load } from './load.ts';
import { withoutLoops } from './loops.ts';
import type { LoadEvent, LoadPlan } from './plan.ts';
import type { RouteTable } from './route-table.ts';
import { byAttributeSet } from './stream.ts';
import { appendTable, blockTable, fullTable } from './synthetic.ts';

async function makeTable({ table: source, target }: LoadPlan): Promise<RouteTable> {
  switch (source.kind) {
    case 'full':
      return withRefused(
        inSendingOrder(fullTable({ ...source, prefixList: source.prefixList })),
        source.refused ?? 0,
      );
    case 'blocks':
      return blockTable(source.routes);
    case 'mrt': {
      const { peer } = source;
      const choice = peer === 'all' ? peer : typeof peer === 'number' ? { index: peer } : { address: peer };
      return fromFile(await tablesFromMrt(source.path, choice), source.path, target.asn);
    }
    case 'messages':
      return fromFile(tablesFromMessages(source.path), source.path, target.asn);
  }
}

function withRefused(table: RouteTable, blocks: number): RouteTable {
  appendTable(table, blockTable(blocks));
  return table;
}

/** Sinks look for a route behind the last one first: daemons mostly pass on what they get as they get it. */
function inSendingOrder(table: RouteTable): RouteTable {
  return table.reordered(byAttributeSet(table, { from: 0, to: table.count }));
}

function fromFile(tables: readonly RouteTable[], path: string, asn: number): RouteTable {
  const table = tables[0];
  if (table === undefined) throw new Error(`no unicast routes in ${path}`);
  return inSendingOrder(withoutLoops(table, asn));
}

function emit(event: LoadEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

async function main(planPath: string): Promise<void> {
  const plan: LoadPlan = JSON.parse(await readFile(planPath, 'utf8'));
  const sessions = plan.sessions.filter(({ abuse }) => abuse === undefined);
  const load = new Load({ ...plan, sessions }, await makeTable(plan), systemClock, emit);
  const commands = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  await load.establish();
  const hostile = await startHostile(plan);
  for (const phase of plan.phases) {
    const { value, done } = await commands.next();
    if (done === true || value !== 'go') break;
    await load.run(phase);
  }
  // Sessions stay until whoever measures has seen enough.
  while ((await commands.next()).done !== true);
  stopHostile(hostile);
  load.close();
  process.stdin.destroy();
}

const [planPath] = process.argv.slice(2);
if (planPath === undefined) {
  process.stderr.write('usage: load PLAN.json\n');
  process.exitCode = 2;
} else {
  await main(planPath).catch((error: unknown) => {
    emit({ event: 'failed', message: errorText(error) });
    process.exit(1);
  });
}
