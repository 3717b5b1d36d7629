// `mrt-lines FILE...`: prints the routes of MRT files, one a line (see lines.ts).

import { once } from 'node:events';
import { readLines } from './lines.ts';

const FLUSH_CHARACTERS = 1 << 16;

for (const path of process.argv.slice(2)) {
  let text = '';
  const pending: string[] = [];
  const summary = await readLines(path, ({ kind, peer, peerAs, prefix, pathId }) => {
    text += `${kind}|${peer}|${peerAs}|${prefix}${pathId === undefined ? '' : `|${pathId}`}\n`;
    if (text.length < FLUSH_CHARACTERS) return;
    pending.push(text);
    text = '';
  });
  pending.push(text);
  for (const part of pending) if (!process.stdout.write(part)) await once(process.stdout, 'drain');
  const skipped = [...summary.skipped].map(([type, count]) => `${type}: ${count}`).join(', ');
  process.stderr.write(
    `${path}: ${summary.records} records, skipped {${skipped}}, malformed ${summary.malformed}, ` +
      `bad messages ${summary.badMessages}, trailing octets ${summary.trailing}\n`,
  );
}
