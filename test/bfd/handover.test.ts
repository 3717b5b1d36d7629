// A session that goes on in another process: the other side hears of nothing but other intervals.

import { beforeEach, describe, expect, it } from 'vitest';
import type { BfdImage } from '../../src/bfd/image.ts';
import { AUTHENTICATION, type AuthenticationName } from '../../src/bfd/protocol.ts';
import type { SessionOptions } from '../../src/bfd/session.ts';
import { SimClock } from '../../src/sim/clock.ts';
import { type BfdHost, BfdNetwork, ip, MS, sessionOptions } from '../support/bfd-network.ts';

const [HERE, THERE] = ['10.0.0.1', '10.0.0.2'] as const;
const SLOW_MS = 10_000;
/** How long nobody watches. */
const GAP_MS = 5000;
const TYPES = Object.keys(AUTHENTICATION) as AuthenticationName[];

let clock: SimClock;
let network: BfdNetwork;
beforeEach(() => {
  clock = new SimClock();
  network = new BfdNetwork(clock);
});

function signed(type: AuthenticationName): Partial<SessionOptions> {
  return { authentication: { type, keys: [{ id: 1, secret: new TextEncoder().encode('secret') }] } };
}

/** Both are up, and `here` sends so rarely that a gap goes unnoticed. */
async function slowPair(options: Partial<SessionOptions>): Promise<{ image: BfdImage; there: BfdHost }> {
  const [here, there] = [network.host(HERE, 1), network.host(THERE, 2)];
  here.add(1, THERE, options);
  there.add(1, HERE, options);
  clock.advance(SLOW_MS);
  here.service.update(1, sessionOptions({ ...options, desiredMinTx: SLOW_MS * MS }));
  clock.advance(1000);
  expect([here.last().transmitInterval, there.last().detectionTime]).toEqual([
    SLOW_MS * MS,
    3 * SLOW_MS * MS,
  ]);
  const image = (await here.service.handOver()).get(1);
  if (image === undefined) throw new Error('the session is not handed over');
  return { image, there };
}

function goOn(image: BfdImage, options: Partial<SessionOptions>): BfdHost {
  const here = network.host(HERE, 3);
  const path = { remote: ip(THERE), local: undefined, interface: undefined, multihop: false };
  here.service.add(1, { ...sessionOptions(options), path }, image);
  return here;
}

describe('a session in another process', () => {
  it.each(['none', ...TYPES] as const)('stays up on both sides, authentication %s', async (type) => {
    const options = type === 'none' ? {} : signed(type);
    const { image, there } = await slowPair(options);
    const up = there.states().length - 1;
    clock.advance(GAP_MS);
    const here = goOn(image, options);
    clock.advance(SLOW_MS);
    expect(there.states().slice(up)).toEqual(['Up']);
    expect(there.last().state).toBe('Up');
    expect(here.states()).toEqual(['Up']);
    expect(here.last().localDiscriminator).toBe(image.localDiscriminator);
    // And as quick as before.
    expect([here.last().transmitInterval, there.last().detectionTime]).toEqual([100 * MS, 300 * MS]);
  });

  it('is spoken for at once, and polls for the old interval', async () => {
    const { image } = await slowPair({});
    clock.advance(GAP_MS);
    const since = clock.now();
    goOn(image, {});
    clock.advance(1);
    const [first] = network.sentBy(HERE, since);
    expect(first).toMatchObject({ state: 'Up', poll: true, desiredMinTx: 100 * MS, at: since });
  });

  it('goes down where the path has failed meanwhile', async () => {
    const { image } = await slowPair({});
    network.loses = ({ from }) => from === THERE;
    const here = goOn(image, {});
    clock.advance(299);
    expect(here.states()).toEqual(['Up']);
    clock.advance(2);
    expect(here.last()).toMatchObject({ state: 'Down', localDiagnostic: 1 });
  });

  it('is not handed over unless it is up', async () => {
    const here = network.host(HERE, 1);
    here.add(1, THERE);
    clock.advance(1000);
    expect(await here.service.handOver()).toEqual(new Map());
  });
});
