// Candidates for the decision, written as people talk about them, in hand-made tables.

import { type AttributeValues, encodeAttributes } from '../../src/bgp/wire/attribute-values.ts';
import { IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import { AttrStore } from '../../src/rib/attr-store.ts';
import { Decision, type DecisionOptions } from '../../src/rib/decision.ts';
import { NextHopTable } from '../../src/rib/next-hops.ts';
import { PathStore } from '../../src/rib/path-store.ts';
import { PrefixTable } from '../../src/rib/prefix-table.ts';
import { PeerTable, type RouteSource } from '../../src/rib/rib-peer.ts';
import { plainExtras } from '../../src/rib/route-extras.ts';
import { DECISION, identity, importOptions, octets, quad } from './lab.ts';

export interface Candidate {
  readonly source?: RouteSource;
  readonly routerId?: string;
  readonly address?: string;
  readonly attributes?: Partial<AttributeValues>;
  /** Canonical octets, where values cannot say it. */
  readonly bytes?: Uint8Array;
  readonly reachable?: boolean;
  readonly metric?: number;
  readonly pathId?: number;
  /** 100 unless given. */
  readonly preference?: number;
  /** False: import refused it. */
  readonly accepted?: boolean;
}

/** One prefix with its candidates; the rows are 1, 2, ... in the order of `order`. */
export class DecisionLab {
  readonly decision: Decision;
  readonly paths = new PathStore(new PrefixTable(IPV4_UNICAST));
  /** Row of each candidate, by its index. */
  readonly rows: number[] = [];

  constructor(
    candidates: readonly Candidate[],
    options: Partial<DecisionOptions> = {},
    order: readonly number[] = candidates.map((_, i) => i),
  ) {
    const nextHops = new NextHopTable();
    const attrs = new AttrStore(nextHops);
    const peers = new PeerTable();
    for (const index of order) {
      const candidate = candidates[index]!;
      const peer = peers.add(
        identity({
          name: `candidate ${index}`,
          source: candidate.source ?? 'external',
          routerId: quad(candidate.routerId ?? '10.0.0.1'),
          address: octets(candidate.address ?? '192.0.2.1'),
        }),
        importOptions(),
      );
      // A next hop of its own, so that each has its own metric.
      const hop = nextHops.intern(Uint8Array.of(10, 0, index, 1), 4, undefined);
      nextHops.setState(hop, candidate.reachable ?? true, candidate.metric ?? 0);
      const bytes = candidate.bytes ?? encodeAttributes({ asPath: '65001', ...candidate.attributes });
      const row = this.paths.add(1, peer.id, candidate.pathId ?? 0, 0);
      const extras = attrs.extrasTable.intern({
        ...plainExtras('bgp'),
        preference: candidate.preference ?? 100,
      });
      this.paths.setAttrIn(row, attrs.intern(bytes, 0, bytes.length, hop, extras));
      this.paths.setAttrPost(row, candidate.accepted === false ? 0 : this.paths.attrIn(row));
      this.rows[index] = row;
    }
    this.decision = new Decision(
      { attrs, nextHops, peers, paths: this.paths },
      { ...DECISION, multipathLimit: 16, ...options },
    );
  }

  /** Index of the best candidate, or -1. */
  best(current?: number): number {
    const row = this.decision.select(this.paths.first(1), current === undefined ? 0 : this.rows[current]!);
    return row === 0 ? -1 : this.rows.indexOf(row);
  }

  /** Candidates of the ECMP set, the best first, the others ascending. */
  multipath(): number[] {
    const best = this.best();
    const { multipath, multipathCount } = this.decision;
    const set = [...multipath.subarray(0, multipathCount)].map((row) => this.rows.indexOf(row));
    return [best, ...set.filter((index) => index !== best).sort((a, b) => a - b)];
  }

  /** Candidates in order, each with the step at which it lost. */
  rank(limit = 1000, current = 0): { index: number; step: number }[] {
    const ranked = this.decision.rank(this.paths.first(1), current, limit);
    return ranked.map(({ row, step }) => ({ index: this.rows.indexOf(row), step }));
  }

  /** The step at which a candidate lost. */
  lostAt(index: number): number | undefined {
    return this.rank().find((path) => path.index === index)?.step;
  }
}
