// What filters of one daemon share: the same filter in the next configuration is the same object, and what filters say
// gets into the log, but not without bound.

import { describe, expect, it } from 'vitest';
import { FilterEnvironment } from '../../src/config/filter-environment.ts';
import { openConfig } from '../../src/config/load-file.ts';
import type { Config } from '../../src/config/model.ts';
import { SimClock } from '../../src/sim/clock.ts';
import { HOST } from './support.ts';

const PATH = '/etc/godwit.yaml';

function text(body: string): string {
  return `router: { asn: 1, id: 10.0.0.1 }
filters: { f: "${body}" }
peers: [{ address: 10.0.0.2, asn: 2, import: f, export: accept }]
`;
}

async function loader(texts: string[]) {
  const files = { read: () => texts[0]!, list: () => [] };
  const load = await openConfig(PATH, { language: 'yaml', env: {}, host: () => HOST, files });
  return (): Config => {
    const result = load();
    if (!result.ok) throw new Error(result.issues.map((issue) => issue.message).join());
    return result.config;
  };
}

describe('the pool', () => {
  it('gives an unchanged filter back, and forgets the others', async () => {
    const texts = [text('if net.len > 24 then reject; accept;')];
    const load = await loader(texts);
    const first = load();
    expect(load().peers[0]!.import).toBe(first.peers[0]!.import);
    texts[0] = text('if net.len > 25 then reject; accept;');
    const second = load();
    expect(second.peers[0]!.import).not.toBe(first.peers[0]!.import);
    expect(second.filters!.pool.size).toBe(2);
    second.filters!.retain(second);
    expect(second.filters!.pool.size).toBe(1);
    expect(load().peers[0]!.import).toBe(second.peers[0]!.import);
  });
});

describe('the log', () => {
  it('has what filters print, and some of their failures with the number of the others', () => {
    const clock = new SimClock();
    const environment = new FilterEnvironment(clock);
    const lines: string[] = [];
    const { log } = environment.host;
    log.print('nobody listens yet');
    environment.useLog({ info: (_, line) => lines.push(line), warn: (_, line) => lines.push(line) });
    log.print('hello');
    for (let i = 0; i < 25; i++) log.error('f', `no ${i}`, undefined);
    expect(lines).toEqual([
      'hello',
      ...Array.from({ length: 10 }, (_, i) => `filter f rejects a route: no ${i}`),
    ]);
  });

  it('begins anew after a while', () => {
    const sim = new SimClock();
    const environment = new FilterEnvironment(sim);
    const lines: string[] = [];
    environment.useLog({ info: () => {}, warn: (_, line) => lines.push(line) });
    for (let i = 0; i < 13; i++) environment.host.log.error('f', 'no', undefined);
    sim.advance(10_000);
    environment.host.log.error('f', 'again', undefined);
    expect(lines.slice(10)).toEqual(['filters failed 3 more times', 'filter f rejects a route: again']);
  });
});
