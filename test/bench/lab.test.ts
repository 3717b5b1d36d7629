// What the bench makes and must remove, and whom it may remove.

import { expect, test } from 'vitest';
import { CleanUp } from '../../bench/lab/clean-up.ts';
import { makerIsGone } from '../../bench/lab/namespace.ts';

test('what was made is undone in reverse order, once', async () => {
  const undone: string[] = [];
  const cleanUp = new CleanUp();
  for (const name of ['directory', 'namespace', 'daemon']) await cleanUp.add(() => undone.push(name));
  await cleanUp.run();
  await cleanUp.run();
  expect(undone).toEqual(['daemon', 'namespace', 'directory']);
});

test('whoever asks twice waits until all is undone', async () => {
  const undone: string[] = [];
  const slowly = (name: string) => async () => {
    await new Promise((resolve) => setImmediate(resolve));
    undone.push(name);
  };
  const cleanUp = new CleanUp();
  for (const name of ['directory', 'namespace', 'daemon']) await cleanUp.add(slowly(name));
  void cleanUp.run();
  await cleanUp.close();
  expect(undone).toEqual(['daemon', 'namespace', 'directory']);
});

test('a failure does not keep the rest from being undone, and is told', async () => {
  const undone: string[] = [];
  const cleanUp = new CleanUp();
  await cleanUp.add(() => undone.push('first'));
  await cleanUp.add(() => Promise.reject(new Error('busy')));
  await expect(cleanUp.run()).rejects.toThrow(AggregateError);
  expect(undone).toEqual(['first']);
});

test('what is made while everything goes is undone at once', async () => {
  const undone: string[] = [];
  const cleanUp = new CleanUp();
  await cleanUp.close();
  await cleanUp.add(() => undone.push('late'));
  expect(undone).toEqual(['late']);
});

test('things of a running process are not abandoned', () => {
  expect(makerIsGone(`${process.pid}-daemon`)).toBe(false);
  expect(makerIsGone('daemon')).toBe(false);
  // Above the largest process id that Linux gives.
  expect(makerIsGone('99999999-daemon')).toBe(true);
});
