// Pipes of the configuration: each is two ends in the RIB, one a direction, for each family that it joins tables of.

import type { PipeConfig } from '../config/model.ts';
import { policyFor } from '../config/policies.ts';
import type { IpVersion } from '../lib/ip.ts';
import type { FamilyRib } from '../rib/family-rib.ts';
import { PipeEnd, type Veil } from '../rib/pipe-end.ts';
import type { Rib } from '../rib/rib.ts';
import type { PeerPolicy } from '../rib/route-policy.ts';
import type { Policies } from './policies.ts';
import type { TableRooms } from './table-rooms.ts';

export interface PipeLink {
  readonly version: IpVersion;
  /** From the table to the peer table, through `export`. */
  readonly out: PipeEnd;
  /** From the peer table to the table, through `import`. */
  readonly in: PipeEnd;
}

export interface Pipe {
  config: PipeConfig;
  readonly links: readonly PipeLink[];
}

export class Pipes {
  readonly #rib: Rib;
  readonly #rooms: TableRooms;
  readonly #policies: Policies;
  readonly #byName = new Map<string, Pipe>();

  constructor(rib: Rib, rooms: TableRooms, policies: Policies) {
    this.#rib = rib;
    this.#rooms = rooms;
    this.#policies = policies;
  }

  get(name: string): Pipe | undefined {
    return this.#byName.get(name);
  }

  values(): IterableIterator<Pipe> {
    return this.#byName.values();
  }

  /** Both tables must be there. */
  add(config: PipeConfig): void {
    const from = this.#rooms.get(config.table)?.place.families ?? [];
    const to = this.#rooms.get(config.peerTable)?.place.families ?? [];
    const driver = { addWork: this.#rib.addWork.bind(this.#rib) };
    const veils: Veil[] = [];
    const veil = (target: FamilyRib): Veil | undefined => {
      if (config.opaque === undefined) return undefined;
      const peer = this.#rib.addPipePeer(config.name, target);
      veils.push({ peer, protocol: config.name, preference: config.opaque.preference });
      return veils.at(-1);
    };
    const links = config.families.flatMap((version): PipeLink[] => {
      const isVersion = ({ family }: (typeof from)[number]) => family.name.startsWith(version);
      const [table, peerTable] = [from.find(isVersion), to.find(isVersion)];
      if (table === undefined || peerTable === undefined) return [];
      const policies = this.#policiesOf(config, version);
      return [
        {
          version,
          out: new PipeEnd(table, peerTable, policies.out, driver, veil(peerTable)),
          in: new PipeEnd(peerTable, table, policies.in, driver, veil(table)),
        },
      ];
    });
    this.#byName.set(config.name, { config, links });
  }

  remove(name: string): void {
    const pipe = this.#byName.get(name);
    this.#byName.delete(name);
    for (const link of pipe?.links ?? []) {
      for (const end of [link.out, link.in]) {
        end.close();
        if (end.veil !== undefined) this.#rib.removePeer(end.veil.peer);
      }
    }
  }

  /** Other policies between the same tables: only what they say differently of changes. */
  change(before: PipeConfig, after: PipeConfig): void {
    const pipe = this.#byName.get(after.name);
    if (pipe === undefined || !sameTables(before, after)) {
      this.remove(before.name);
      this.add(after);
      return;
    }
    pipe.config = after;
    this.#usePolicies(pipe);
  }

  /** What its filters ask has changed: those that do ask are other policies now. */
  renew(name: string): void {
    const pipe = this.#byName.get(name);
    if (pipe !== undefined) this.#usePolicies(pipe);
  }

  /** Filters may say something else of the same routes. */
  judgeAgain(name: string, direction: 'in' | 'out' | 'both'): void {
    for (const { out, in: back } of this.#byName.get(name)?.links ?? []) {
      if (direction !== 'in') out.judgeAgain();
      if (direction !== 'out') back.judgeAgain();
    }
  }

  #policiesOf(config: PipeConfig, version: IpVersion): { readonly out: PeerPolicy; readonly in: PeerPolicy } {
    return {
      out: this.#policies.pipePolicy(policyFor(config.export, version)),
      in: this.#policies.pipePolicy(policyFor(config.import, version)),
    };
  }

  /** Equal policies are one object: only where there is another one, routes are judged again. */
  #usePolicies({ config, links }: Pipe): void {
    for (const link of links) {
      const policies = this.#policiesOf(config, link.version);
      for (const direction of ['out', 'in'] as const) {
        const end = link[direction];
        if (end.policy !== policies[direction]) end.usePolicy(policies[direction]);
      }
    }
  }
}

function sameTables(a: PipeConfig, b: PipeConfig): boolean {
  const key = ({ table, peerTable, families, opaque }: PipeConfig): string => {
    return [table, peerTable, ...families, opaque?.preference ?? 'transparent'].join(' ');
  };
  return key(a) === key(b);
}
