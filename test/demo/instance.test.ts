// Whose directory is whose: demonstrations side by side, and one that died.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { claimInstance } from '../../src/demo/instance.ts';

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'instance-test-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

it('gives each demonstration a number of its own, and gives it away again', () => {
  const first = claimInstance(parent);
  const second = claimInstance(parent);
  expect([first.number, second.number]).toEqual([1, 2]);
  expect(first.directory).not.toBe(second.directory);
  first.release();
  expect(existsSync(first.directory)).toBe(false);
  expect(claimInstance(parent).number).toBe(1);
});

it('takes over what a dead process left', () => {
  const directory = join(parent, 'godwit-demo');
  mkdirSync(directory);
  writeFileSync(join(directory, 'rr1.sock'), '');
  // This process, but started at another time: the number was used again.
  writeFileSync(join(directory, 'owner'), `${process.pid} 1`);
  const instance = claimInstance(parent);
  expect(instance.number).toBe(1);
  expect(existsSync(join(directory, 'rr1.sock'))).toBe(false);
  expect(readFileSync(join(directory, 'owner'), 'utf8')).toMatch(new RegExp(`^${process.pid} \\d+$`));
});

it('leaves alone what does not say whose it is', () => {
  mkdirSync(join(parent, 'godwit-demo'));
  writeFileSync(join(parent, 'godwit-demo', 'precious'), '');
  expect(claimInstance(parent).number).toBe(2);
  expect(existsSync(join(parent, 'godwit-demo', 'precious'))).toBe(true);
});
