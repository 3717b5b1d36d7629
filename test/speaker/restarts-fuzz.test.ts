// Peers that restart, refresh and disappear in any order: once all are back, the speaker has from each exactly what it
// announced last, and each has what the speaker says it has. RFC 4724 §4.2, RFC 7313 §4, RFC 7911.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Capability } from '../../src/bgp/wire/capabilities.ts';
import type { RawPeer } from '../support/raw-peer.ts';
import { simKernel } from '../support/sim-lab.ts';
import { expectAdvertised } from './invariants.ts';
import { OWN_ADDRESS, OWN_AS, type RigPeer, rig } from './rig.ts';

const TIMEOUT_MS = 120_000;
const PREFIXES = 5;
const GRACEFUL: Capability = {
  kind: 'graceful-restart',
  restarting: false,
  notification: false,
  restartTime: 60,
  families: [{ afi: 1, safi: 1, forwarding: true }],
};
const ENHANCED: Capability = { kind: 'enhanced-route-refresh' };

/** Graceful and not, internal and external, with several paths and with one. */
const PEERS: Record<string, RigPeer> = {
  '10.0.0.2': { as: 65002, raw: { capabilities: [GRACEFUL, ENHANCED] } },
  '10.0.0.3': {
    as: 65003,
    config: { addPath: { send: 'all' } },
    raw: { addPath: 1, capabilities: [GRACEFUL] },
  },
  '10.0.0.4': {
    as: OWN_AS,
    config: { routeReflectorClient: true, addPath: { receive: true, send: 2 } },
    raw: { addPath: 3, capabilities: [GRACEFUL, ENHANCED] },
  },
  '10.0.0.5': { as: OWN_AS },
};
const ADDRESSES = Object.keys(PEERS);

class Model {
  readonly raw: RawPeer;
  /** `prefix` or `prefix #id` -> MED, as announced in this session. */
  mine = new Map<string, number>();
  up = true;
  ended = false;

  constructor(raw: RawPeer) {
    this.raw = raw;
  }

  key(prefix: number, id: number): string {
    const text = `172.16.${prefix}.0/24`;
    return this.raw.options.addPath === 3 ? `${text} #${id}` : text;
  }

  end(): void {
    this.raw.endOfRib();
    this.ended = true;
  }

  announce(key: string, med: number): void {
    this.mine.set(key, med);
    this.raw.announce([key], { med });
  }
}

const peer = fc.nat(ADDRESSES.length - 1);
const prefix = fc.nat(PREFIXES - 1);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('announce' as const),
      peer,
      prefix,
      id: fc.integer({ min: 1, max: 3 }),
      med: fc.nat(2),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('withdraw' as const),
      peer,
      prefix,
      id: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('drop' as const), peer }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('connect' as const), peer, end: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), peer }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('resend' as const), peer, keep: fc.nat(31) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('refresh' as const), peer }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(100_000) }) },
);

it(
  'peers that restart in any order end up with what they announced last',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }), async (steps) => {
        const { lab, speaker, peers } = await rig(
          PEERS,
          { kernel: { install: true, nextHopTracking: false } },
          simKernel(`eth0 ${OWN_ADDRESS}/24`),
        );
        const models = peers.map((raw) => new Model(raw));
        for (const model of models) model.end();
        const connect = async (model: Model) => {
          if (model.up) return;
          await lab.connect(speaker, model.raw);
          model.up = speaker.peer(model.raw.address).state === 'Established';
          model.mine.clear();
          model.ended = false;
        };
        for (const each of steps) {
          if (each.kind === 'wait') {
            await lab.run(each.ms);
            continue;
          }
          const model = models[each.peer]!;
          if (each.kind === 'connect') {
            const wasUp = model.up;
            await connect(model);
            if (!wasUp && model.up && each.end) model.end();
          } else if (!model.up) continue;
          else if (each.kind === 'announce') model.announce(model.key(each.prefix, each.id), each.med);
          else if (each.kind === 'withdraw') {
            const key = model.key(each.prefix, each.id);
            model.mine.delete(key);
            model.raw.withdraw(key);
          } else if (each.kind === 'drop') {
            model.raw.drop();
            model.up = false;
          } else if (each.kind === 'end') {
            model.end();
          } else if (each.kind === 'refresh') model.raw.refresh();
          else if (model.ended && model.raw.context?.enhancedRouteRefresh === true) {
            model.raw.refresh(undefined, 1);
            for (const [at, [key, med]] of [...model.mine].entries()) {
              if ((each.keep & (1 << at)) !== 0) model.announce(key, med);
              else model.mine.delete(key);
            }
            model.raw.refresh(undefined, 2);
          }
          if (each.peer % 2 === 0) await lab.settle();
        }
        await lab.run(200_000);
        for (const { up, raw } of models) {
          // Nobody waits for a peer for longer than it asked for.
          if (!up) expect(speaker.routes().filter((route) => route.peer === raw.address)).toEqual([]);
        }
        for (const model of models) {
          await connect(model);
          expect(model.up, model.raw.address).toBe(true);
          model.end();
        }
        await lab.settle();
        for (const { raw, mine } of models) {
          const received = speaker.routes({ receivedFrom: raw.address, beforePolicy: true });
          const text = received.map((route) => {
            const id = raw.options.addPath === 3 ? ` #${route.pathId}` : '';
            return `${route.prefix}${id} ${route.attributes.med} ${route.stale}`;
          });
          expect(text.sort(), raw.address).toEqual(
            [...mine].map(([key, med]) => `${key} ${med} false`).sort(),
          );
          const sent = speaker.routes({ advertisedTo: raw.address });
          const held = [...raw.table].map(
            ([key, route]) => `${key.split(' ')[0]} ${route.nextHop} ${route.attributes.asPath}`,
          );
          expect(held.sort(), raw.address).toEqual(
            sent.map((route) => `${route.prefix} ${route.nextHop} ${route.attributes.asPath}`).sort(),
          );
          expect(speaker.peer(raw.address).families[0]).toMatchObject({
            received: mine.size,
            stale: 0,
            advertised: sent.length,
          });
        }
        expectAdvertised(speaker);
        const wanted = new Set(
          models.flatMap(({ mine }) => [...mine.keys()].map((key) => key.split(' ')[0]!)),
        );
        expect(new Set(speaker.kernelRoutes().map((text) => text.split(' ')[0]!))).toEqual(wanted);
        expect(speaker.log.filter((line) => line.startsWith('error'))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  },
  TIMEOUT_MS,
);
