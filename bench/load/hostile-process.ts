// Hostile peers of a plan as processes of their own, so that the load does not pay for what they do.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { HostilePlan } from './hostile.ts';
import type { LoadPlan } from './plan.ts';

/** Starts them all and resolves when each has begun. */
export async function startHostile({
  sessions,
  target,
  holdTime,
}: LoadPlan): Promise<readonly ChildProcess[]> {
  const main = new URL('./hostile-main.js', import.meta.url).pathname;
  const children: ChildProcess[] = [];
  for (const session of sessions) {
    if (session.abuse === undefined) continue;
    const plan: HostilePlan = { session, abuse: session.abuse, target, holdTime };
    const child = spawn(process.execPath, [main, JSON.stringify(plan)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(child);
    await once(child.stdout!, 'data');
  }
  return children;
}

export function stopHostile(children: readonly ChildProcess[]): void {
  for (const child of children) child.stdin?.end();
}
