// Whatever happens to peers, routes and the station: once all is quiet, a station that is connected knows what the tables have,
// and when it is gone nothing of it is left.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeAttributes } from '../../../src/bgp/wire/attribute-set.ts';
import { formatAddress } from '../../../src/lib/ip.ts';
import { BmpStation, STATION_PORT } from '../../support/bmp-station.ts';
import { ip } from '../../support/raw-peer.ts';
import { SimLab, type SimSpeaker } from '../../support/sim-lab.ts';
import { OWN_ADDRESS, type RigPeer, rigInput } from '../rig.ts';

const STATION = '10.0.0.9';
const REFUSED = '192.0.2.0/26';
const PREFIXES = [REFUSED, '192.0.2.64/26', '192.0.2.128/26', '198.51.100.0/24', '203.0.113.0/24'];
const FILTER = `if net = ${REFUSED} || bgp_med = 3 then reject; bgp_local_pref = 200; accept;`;
/** The second keeps the routes of a session that is lost, for a while; the third sends several paths. */
const PEERS: Record<string, RigPeer> = {
  '10.0.0.2': { as: 65002, config: { import: FILTER } },
  '10.0.0.3': {
    as: 65003,
    config: { gracefulRestart: { mode: 'helper' } },
    raw: {
      capabilities: [
        {
          kind: 'graceful-restart',
          restarting: false,
          notification: false,
          restartTime: 20,
          families: [{ afi: 1, safi: 1, forwarding: true }],
        },
      ],
    },
  },
  '10.0.0.4': { as: 65004, config: { addPath: true }, raw: { addPath: 3 } },
};
const ADDRESSES = Object.keys(PEERS);

const peer = fc.nat(ADDRESSES.length - 1);
const prefix = fc.nat(PREFIXES.length - 1);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('announce'), peer, prefix, med: fc.nat(4) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('withdraw'), peer, prefix, med: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('drop', 'connect', 'end'), peer }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('pause', 'resume', 'close', 'listen', 'settle', 'wait') }),
  },
);

function tables({ speaker }: SimSpeaker): string[] {
  const found: string[] = [];
  const { attrs, peers } = speaker.rib;
  const path = (attr: number): string => {
    return decodeAttributes(attrs.bytes, attrs.offset(attr), attrs.length(attr)).asPath ?? '';
  };
  const up = new Set([...speaker.registry.values()].flatMap(({ established }) => established?.ribPeer ?? []));
  for (const { paths, prefixes, locRib } of speaker.rib.families) {
    for (let id = 1; id < prefixes.limit; id++) {
      if (!prefixes.inUse(id)) continue;
      const text = prefixes.format(id);
      const best = locRib.bestAttr(id);
      if (best !== 0) found.push(`loc loc-rib ${text} by ${path(best)}`);
      for (let row = paths.first(id); row !== 0; row = paths.next(row)) {
        const from = peers.get(paths.peerId(row));
        if (!up.has(from)) continue;
        const pathId = paths.pathId(row);
        const what = `${formatAddress(from.address)} ${text}${pathId === 0 ? '' : ` #${pathId}`} by`;
        found.push(`pre ${what} ${path(paths.attrIn(row))}`);
        if (paths.attrPost(row) !== 0) found.push(`post ${what} ${path(paths.attrPost(row))}`);
      }
    }
  }
  return found.sort();
}

describe('what a BMP station knows', () => {
  it('is what the tables have, whatever happened', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const lab = new SimLab({ network: { windowBytes: 1500 } });
        const station = new BmpStation(lab.network.host(ip(STATION)), ip(STATION));
        station.listen();
        let listening = true;
        const routes = ['pre-policy', 'post-policy', 'loc-rib'] as const;
        const stations = [{ address: STATION, port: STATION_PORT, statistics: 7, routes: [...routes] }];
        const speaker = lab.speaker('godwit', [OWN_ADDRESS], rigInput(PEERS, { bmp: { stations } }));
        await lab.start();
        const raws = Object.entries(PEERS).map(([address, { as, raw }]) =>
          lab.raw(address, { as, holdTime: 0, ...raw }),
        );
        await lab.connect(speaker, ...raws);
        for (const each of steps) {
          const raw = 'peer' in each ? raws[each.peer]! : undefined;
          const text = 'prefix' in each ? PREFIXES[each.prefix]! : '';
          const med = 'med' in each ? each.med : 0;
          const named = raw === raws[2] ? `${text} #${1 + (med % 2)}` : text;
          if (each.do === 'announce') raw?.announce([named], { med });
          else if (each.do === 'withdraw') raw?.withdraw(named);
          else if (each.do === 'drop') raw?.drop();
          else if (each.do === 'end') raw?.endOfRib();
          else if (each.do === 'connect' && raw !== undefined) {
            raw.drop();
            await lab.run(10);
            await lab.connect(speaker, raw);
          } else if (each.do === 'pause') station.pause();
          else if (each.do === 'resume') station.resume();
          else if (each.do === 'settle') await lab.settle();
          else if (each.do === 'wait') await lab.run(20_000);
          else if (each.do === 'close') {
            station.close();
            listening = false;
          } else if (each.do === 'listen' && !listening) {
            station.listen();
            listening = true;
          }
        }
        station.resume();
        if (!listening) station.listen();
        await lab.run(800_000);
        expect(station.connections).toBe(1);
        expect(station.last.routes).toEqual(tables(speaker));
        station.close();
        for (const raw of raws) raw.drop();
        await lab.run(200_000);
        const { families, attrs } = speaker.speaker.rib;
        expect([families[0]?.prefixes.size, attrs.size]).toEqual([0, 0]);
      }),
      { numRuns: 20 },
    );
  });
});
