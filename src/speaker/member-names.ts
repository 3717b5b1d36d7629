// What members of ranges are called: by their address, or by a name and a number where the range says so, as by BIRD's
// `dynamic name`. Who comes back has the number that it had.

import { isDeepStrictEqual } from 'node:util';
import type { DynamicPeersConfig } from '../config/model.ts';

type Range = Pick<DynamicPeersConfig, 'name' | 'limit' | 'memberNames'>;

interface Members {
  /** By address; the one seen last stands last. */
  readonly names: Map<string, string>;
  /** The number given last. */
  last: number;
}

/** What members of a range are called, for another process. */
export interface MemberNamesImage {
  readonly range: string;
  /** How the range called them: names of another kind are of no use. */
  readonly memberNames: DynamicPeersConfig['memberNames'];
  /** By address; the one seen last stands last. */
  readonly names: ReadonlyMap<string, string>;
  readonly last: number;
}

export class MemberNames {
  /** By range. */
  readonly #members = new Map<string, Members>();
  /** Of all ranges, which may have one name for their members. */
  readonly #given = new Set<string>();

  /** The name of whoever calls from this address. `isTaken`: a peer of any kind has it. */
  nameOf(range: Range, address: string, isTaken: (name: string) => boolean): string {
    const { memberNames } = range;
    if (memberNames === undefined) return address;
    const members = this.#of(range.name);
    const known = members.names.get(address);
    let name = known;
    while (name === undefined || isTaken(name) || (name !== known && this.#given.has(name))) {
      members.last++;
      name = `${memberNames.prefix}${String(members.last).padStart(memberNames.digits, '0')}`;
    }
    this.keep(range, address, name);
    return name;
  }

  /** Remembers a name, for as many members as the range may have. */
  keep({ name: range, limit }: Range, address: string, name: string): void {
    const { names } = this.#of(range);
    this.#drop(names, address);
    names.set(address, name);
    this.#given.add(name);
    const [oldest] = names.keys();
    if (names.size > limit && oldest !== undefined) this.#drop(names, oldest);
  }

  /** Of a range that numbers its members. */
  image({ name: range, memberNames }: Range): MemberNamesImage {
    const { names, last } = this.#of(range);
    return { range, memberNames, names: new Map(names), last };
  }

  /** Goes on with what another process has called members; does nothing where they are called otherwise now. */
  restore(range: Range, { memberNames, names, last }: MemberNamesImage): void {
    if (!isDeepStrictEqual(range.memberNames, memberNames)) return;
    for (const [address, name] of names) this.keep(range, address, name);
    this.#of(range.name).last = last;
  }

  /** All that a member at this address may be called. */
  of(address: string): string[] {
    return [address, ...[...this.#members.values()].flatMap(({ names }) => names.get(address) ?? [])];
  }

  /** The range is gone, or calls its members otherwise. */
  forget(range: string): void {
    const { names } = this.#of(range);
    for (const address of names.keys()) this.#drop(names, address);
    this.#members.delete(range);
  }

  #of(range: string): Members {
    const members = this.#members.get(range) ?? { names: new Map(), last: 0 };
    this.#members.set(range, members);
    return members;
  }

  #drop(names: Map<string, string>, address: string): void {
    const name = names.get(address);
    if (name === undefined) return;
    names.delete(address);
    this.#given.delete(name);
  }
}
