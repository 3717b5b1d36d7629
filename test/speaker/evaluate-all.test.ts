// Routes beyond the best one for peers that want them (RFC 7947 §2.3.1, BIRD's secondary), over whole sessions.

import { describe, expect, it } from 'vitest';
import { type RigPeer, rig, rigInput } from './rig.ts';

const P1 = '192.0.2.0/24';
const [A, B, C, CHOOSY, USUAL] = ['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6'] as const;
const NOT_FROM_A = 'if bgp_path.first = 65002 then reject; accept;';
const client = (as: number, config: RigPeer['config'] = {}): RigPeer => ({
  as,
  config: { routeServerClient: true, evaluateAll: true, ...config },
});
const CLIENTS: Record<string, RigPeer> = {
  [A]: client(65002),
  [B]: client(65003),
  [C]: client(65004),
  [CHOOSY]: client(65005, { export: NOT_FROM_A }),
  [USUAL]: client(65006, { evaluateAll: false, export: NOT_FROM_A }),
};

describe('a peer that is told of the next route where the best one may not go to it', () => {
  it('has the best that is not its own, and passes its filter; others have the best or none', async () => {
    const { lab, peer } = await rig(CLIENTS);
    const paths = () => [A, B, C, CHOOSY, USUAL].map((each) => peer(each).attributes(P1)?.asPath);
    peer(A).announce([P1]);
    await lab.settle();
    expect(paths()).toEqual([undefined, '65002', '65002', undefined, undefined]);
    peer(B).announce([P1], { asPath: '65003 7' });
    await lab.settle();
    expect(paths()).toEqual(['65003 7', '65002', '65002', '65003 7', undefined]);
    peer(C).announce([P1], { asPath: '65004 7' });
    await lab.settle();
    expect(paths()).toEqual(['65003 7', '65002', '65002', '65003 7', undefined]);
    peer(B).withdraw(P1);
    await lab.settle();
    expect(paths()).toEqual(['65004 7', '65002', '65002', '65004 7', undefined]);
    peer(A).withdraw(P1);
    await lab.settle();
    expect(paths()).toEqual(['65004 7', '65004 7', undefined, '65004 7', '65004 7']);
  });

  it('takes other settings over while its session lives', async () => {
    const { lab, peer, speaker } = await rig(CLIENTS);
    peer(A).announce([P1]);
    peer(B).announce([P1], { asPath: '65003 7' });
    await lab.settle();
    const changed = Object.entries(CLIENTS).map(([address, each]): [string, RigPeer] => [
      address,
      { ...each, config: { ...each.config, evaluateAll: address === USUAL } },
    ]);
    await speaker.reload(rigInput(Object.fromEntries(changed)));
    await lab.settle();
    const paths = [A, CHOOSY, USUAL].map((each) => peer(each).attributes(P1)?.asPath);
    expect(paths).toEqual([undefined, undefined, '65003 7']);
  });
});
