// Everything that the real daemons were asked while they were recorded, asked of a speaker with their configuration,
// peers and routes. What may differ is in recorded.ts; what does differ stands here, with the reason.

import { describe, expect, it } from 'vitest';
import { dut } from './dut.ts';
import { haveTranscripts, isUnanswered, normalize, transcriptsOf } from './recorded.ts';
import { Talk } from './talk.ts';

interface Excuse {
  readonly why: string;
  /** What stands in the place of a line, of both. */
  readonly lines: readonly (readonly [RegExp, string])[];
}

const EXCUSES: Readonly<Record<string, readonly Excuse[]>> = {
  '1.6.8-calico': [],
  '2.0.12': [
    {
      why: 'mistakes in a configuration are described in words',
      lines: [[/^(8002 \S+:\d+:\d+) .*/, '$1 WORDS']],
    },
    {
      why: 'it was caught while it closed the connection; asked in peace it is down, too',
      lines: [[/^(.*)stop {3}(TIME) Idle {10}$/, '$1down   $2 ']],
    },
  ],
};

function excused(folder: string, lines: readonly string[]): string[] {
  const rules = EXCUSES[folder]!.flatMap((excuse) => excuse.lines);
  return lines.map((line) =>
    rules.reduce((text, [pattern, instead]) => text.replace(pattern, instead), line),
  );
}

describe.skipIf(!haveTranscripts)('what was recorded (needs ../shared/data/bird-transcripts)', () => {
  for (const [folder, dialect, style] of [
    ['1.6.8-calico', '1.6', 'bird1'],
    ['2.0.12', '2.x', 'bird2'],
  ] as const) {
    it(`is said again: ${folder}`, async () => {
      const running = await dut(dialect);
      const restarted = await dut(dialect, true);
      let compared = 0;
      for (const { name, greeting, exchanges } of transcriptsOf(folder)) {
        const { api, lab, pass } = name.includes('restart-recovery') ? restarted : running;
        const version = /BIRD (\S+) ready/.exec(greeting)![1]!;
        const talk = new Talk({ api, style, clock: lab.clock, version, pass });
        expect(talk.take()).toEqual([greeting]);
        for (const exchange of exchanges) {
          if (isUnanswered(exchange)) continue;
          const { command, reply } = exchange;
          const got = excused(folder, normalize(await talk.ask(command)));
          expect(got, `${name}: ${command}`).toEqual(excused(folder, normalize(reply)));
          compared++;
        }
      }
      expect(compared).toBeGreaterThan(70);
    });
  }
});
