// A simulated speaker with a BIRD file between a peer that announces and one that listens, for tests that change the file.

import { IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import { loadBird } from '../../src/config/bird/load.ts';
import { FilterEnvironment } from '../../src/config/filter-environment.ts';
import { formatIssues } from '../../src/config/issues.ts';
import type { LoadResult } from '../../src/config/load.ts';
import { silentLogger } from '../../src/lib/log.ts';
import { Scheduler } from '../../src/lib/scheduler.ts';
import type { SpeakerApi } from '../../src/speaker/api.ts';
import { Speaker, type SpeakerParts } from '../../src/speaker/speaker.ts';
import { createApi } from '../../src/speaker/speaker-api.ts';
import { ip, type RawPeer } from '../support/raw-peer.ts';
import type { SimLab } from '../support/sim-lab.ts';

export const OWN = '10.0.0.1';
/** AS 65002, which announces. */
export const FROM = '10.0.0.2';
/** AS 65003, which listens. */
export const TO = '10.0.0.3';

export interface BirdLab {
  readonly api: SpeakerApi;
  readonly from: RawPeer;
  readonly to: RawPeer;
  /** Another file, and time for what comes of it. */
  configure(file: string, ms: number): Promise<void>;
}

/** Both peers are up, and `routes` announced. */
export async function birdLab(
  lab: SimLab,
  first: string,
  routes: readonly string[],
  openKernel: SpeakerParts['openKernel'] = async () => undefined,
): Promise<BirdLab> {
  const { clock } = lab;
  const filters = new FilterEnvironment(clock);
  let file = first;
  const load = (): LoadResult => {
    const host = { hostname: 'h', addresses: [OWN] };
    const result = loadBird(file, 'bird.conf', { read: () => file, list: () => [] }, host, {
      policy: filters,
    });
    return result.ok ? { ...result, config: { ...result.config, filters } } : result;
  };
  const loaded = load();
  if (!loaded.ok) throw new Error(formatIssues(loaded.issues, { color: false }));
  const speaker = new Speaker(loaded.config, {
    clock,
    scheduler: new Scheduler(clock, { defer: clock.defer }),
    random: lab.random,
    defer: clock.defer,
    transport: lab.network.host(ip(OWN)),
    openKernel,
    addresses: () => [],
    log: silentLogger,
    version: '0.0.0',
  });
  const api = createApi({ speaker, configFile: 'bird.conf', loadConfig: load });
  const started = speaker.start();
  await lab.run(100);
  await started;
  const families = [IPV4_UNICAST];
  const from = lab.raw(FROM, { as: 65002, families, holdTime: 0 });
  const to = lab.raw(TO, { as: 65003, families, holdTime: 0 });
  for (const peer of [from, to]) peer.connect(OWN);
  await lab.run(1000);
  from.announce([...routes], { asPath: '65002' });
  await lab.run(1000);
  return {
    api,
    from,
    to,
    async configure(next, ms) {
      file = next;
      const done = api.bird.configure({});
      await lab.run(ms);
      await done;
    },
  };
}
