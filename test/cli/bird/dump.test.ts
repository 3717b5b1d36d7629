import { expect, test } from 'vitest';
import { createDump } from '../../../src/cli/bird/dump.ts';
import { silentLogger } from '../../../src/lib/log.ts';
import { FakeSpeaker } from '../../support/fake-speaker.ts';

test('a dump that cannot be written is told in the log, and ends nobody', () => {
  const lines: string[] = [];
  const log = {
    logger: silentLogger,
    write: (logClass: string, text: string) => void lines.push(`${logClass} ${text}`),
    useConfig: () => {},
    flush: () => true,
  };
  createDump({ debug: false, debugFile: '/dev/full/dump' }, log)(new FakeSpeaker());
  expect(lines).toEqual(['error Unable to write the state dump: not a directory']);
});
