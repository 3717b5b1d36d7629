// `dump`, `debug` and `mrtdump`: what is written where, with the replies of BIRD 2.0.12 and, for files, 2.20.

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/log.ts';
import { fakeAnswer } from '../../support/fake-bird.ts';
import { FakeSpeaker } from '../../support/fake-speaker.ts';
import { Talk } from './talk.ts';

const directory = mkdtempSync(join(tmpdir(), 'godwit-dump-'));
afterAll(() => rmSync(directory, { recursive: true }));

const DUMPS = {
  resources: 'Route attribute cache: ',
  sockets: 'Open sockets:',
  events: 'Event log:',
  interfaces: 'Known network interfaces:',
  neighbors: 'Known neighbors:',
  attributes: 'Route attribute cache (',
  routes: 'Dump of routing table <master4>',
  protocols: 'Protocols:',
  'filter all': 'filter fin',
} as const;

/** Files take their time. */
const pass = () => new Promise<void>((resolve) => void setTimeout(resolve, 1));

function talk() {
  const speaker = new FakeSpeaker();
  const logged: string[] = [];
  const logger = { ...silentLogger, info: (_fields: object, message: string) => void logged.push(message) };
  speaker.bird.answer = () => [fakeAnswer('master4', [undefined])];
  speaker.bird.symbolViews = [{ name: 'fin', kind: 'filter' }];
  return {
    speaker,
    logged,
    ...{ talk: new Talk({ api: speaker, style: 'bird2', clock: systemClock, logger, pass }) },
  };
}

describe('dump', () => {
  it.each(Object.entries(DUMPS))('writes %s into the log', async (what, head) => {
    const { talk: t, logged } = talk();
    expect(await t.ask(`dump ${what}`)).toEqual(['0000 ']);
    expect(logged.some((line) => line.startsWith(head))).toBe(true);
  });

  it.each(Object.entries(DUMPS))('writes %s into a file', async (what, head) => {
    const { talk: t, logged } = talk();
    const path = join(directory, what);
    const [first, last] = await t.ask(`dump ${what} "${path}"`);
    expect(first).toMatch(/^0013-Dumping .* to /);
    expect(first).toContain(path);
    expect(last).toMatch(new RegExp(`^0013 Dumped ${statSync(path).size} bytes in \\d\\.\\d{3} s$`));
    expect(readFileSync(path, 'utf8')).toContain(head);
    expect(statSync(path).mode & 0o777).toBe(0o400);
    expect(logged).toEqual([]);
  });

  it('leaves a file alone that is there, and says why one cannot be made', async () => {
    const { talk: t } = talk();
    const path = join(directory, 'mine');
    writeFileSync(path, 'mine');
    expect(await t.ask(`dump routes "${path}"`)).toEqual([`8009 Failed to open file ${path}: File exists`]);
    expect(readFileSync(path, 'utf8')).toBe('mine');
    const nowhere = join(directory, 'nowhere', 'f');
    expect(await t.ask(`dump protocols "${nowhere}"`)).toEqual([
      `8009 Failed to open file ${nowhere}: No such file or directory`,
    ]);
  });
});

describe('debug commands', () => {
  it.each([
    [undefined, [], []],
    [1, ['CLI connect', 'CLI connection closed'], []],
    [2, ['CLI connect', 'CLI connection closed'], ['CLI: show status', 'CLI: nonsense']],
  ])('of %s shows what BIRD shows', async (level, logged, traced) => {
    const set = talk();
    set.logged.length = 0;
    if (level !== undefined) set.speaker.bird.config = { ...set.speaker.bird.config, debugCommands: level };
    set.talk.session.greet('2.0.12');
    await set.talk.ask('show status');
    await set.talk.ask('nonsense');
    set.talk.session.close();
    expect(set.logged).toEqual(logged);
    expect(set.speaker.bird.traced).toEqual(traced);
  });
});

describe('debug and mrtdump', () => {
  it('are asked of protocols, or of a channel', async () => {
    const { talk: t, speaker } = talk();
    const view = { kind: 'bgp', state: 'up', enabled: true, channels: [] };
    speaker.bird.protocolViews = ['b1', 'b2'].map((name) => ({ ...view, name }) as never);
    const commands = [
      'debug b1 { states, routes }',
      'debug "b*" off',
      'debug b2.ipv4 { filters }',
      'debug all all',
      'mrtdump all { messages }',
      'mrtdump b1 off',
    ];
    for (const command of commands) expect(await t.ask(command), command).toEqual(['0000 ']);
    expect(speaker.bird.calls).toEqual([
      'debug b1 { states, routes }',
      'debug b1 b2 {  }',
      'debug b2.ipv4 { filters }',
      'debug b1 b2 { states, routes, filters, interfaces, events, packets }',
      'mrtdump b1 b2 { messages }',
      'mrtdump b1 {  }',
    ]);
  });
});
