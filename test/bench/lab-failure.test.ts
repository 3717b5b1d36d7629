// What the error of a lab's test says when it has failed, for whoever was not there.

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../bench/lab/command.ts';
import { Namespace } from '../../bench/lab/namespace.ts';
import { explainFailure, Lab, type Node } from '../support/lab/lab.ts';

/** Nothing is separate from this machine. */
class Nowhere extends Namespace {
  override wrap(command: readonly string[]): string[] {
    return [...command];
  }
}

function taskOf(state: 'fail' | 'pass', ...messages: string[]) {
  return { result: { state, errors: messages.map((message) => ({ message })) } };
}

test('a failure has what the programs said last, and a success nothing', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'godwit-lab-'));
  const lab = new Lab([], [], directory);
  onTestFinished(() => lab.remove());
  const node: Node = { name: 'own', namespace: new Nowhere('none'), ipv4: '', ipv6: '', directory };
  const program = lab.run('echo', node, ['echo', 'these are my last words']);
  lab.run('sleep', node, ['sleep', '60']);
  await waitFor('it has ended', async () => !program.running);

  const failed = taskOf('fail', 'the route did not come', 'and more');
  await explainFailure(failed, lab);
  const [first, second] = failed.result.errors.map(({ message }) => message);
  expect(first).toMatch(/^the route did not come\n\necho has ended; the end of .*\/echo\.log:\n/);
  expect(first).toContain('these are my last words');
  expect(first).toContain('sleep runs');
  expect(second).toBe('and more');
  const passed = taskOf('pass', 'untouched');
  await explainFailure(passed, lab);
  expect(passed.result.errors[0]?.message).toBe('untouched');
});
