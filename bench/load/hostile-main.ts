// The process of a hostile peer: `hostile-main JSON`. It says `ready` on stdout when it has begun, and ends with stdin.

import { systemClock } from '../../src/lib/clock.ts';
import { abuse, type HostilePlan } from './hostile.ts';

const [text] = process.argv.slice(2);
if (text === undefined) {
  process.stderr.write('usage: hostile-main PLAN\n');
  process.exitCode = 2;
} else {
  const plan: HostilePlan = JSON.parse(text);
  let said = false;
  abuse(plan, systemClock, () => {
    if (!said) process.stdout.write('ready\n');
    said = true;
  });
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
}
