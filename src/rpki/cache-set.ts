// Several caches in order of preference (RFC 8210 §10): the most preferred ones are asked, the next ones only while those
// have nothing to say, and are let go once a better one is in sync again. Caches of one preference are asked together.

import type { CacheClient } from './cache-client.ts';
import type { CacheStatus } from './cache-types.ts';

export interface CacheMember {
  readonly client: CacheClient;
  /** The lower, the more preferred. */
  readonly preference: number;
  /** Switched on, by configuration and command. */
  enabled: boolean;
}

export class CacheSet {
  readonly #members = new Set<CacheMember>();
  #reviewing = false;
  #again = false;

  add(member: CacheMember): void {
    this.#members.add(member);
    this.review();
  }

  /** Its records go with it. */
  remove(member: CacheMember): void {
    this.#members.delete(member);
    member.client.stop();
    this.review();
  }

  /** Starts and stops caches as they are needed; to be called when one of them has changed. */
  review(): void {
    // Starting and stopping are changes, too.
    if (this.#reviewing) {
      this.#again = true;
      return;
    }
    this.#reviewing = true;
    do {
      this.#again = false;
      this.#once();
    } while (this.#again);
    this.#reviewing = false;
  }

  #once(): void {
    let wanted = true;
    for (const preference of [...new Set([...this.#members].map((each) => each.preference))].sort(
      ascending,
    )) {
      const level = [...this.#members].filter((each) => each.preference === preference);
      const enabled = level.filter((each) => each.enabled);
      for (const { client } of level.filter((each) => !each.enabled)) client.stop();
      const undecided = enabled.some(
        ({ client }) => client.status.problem === undefined && !client.status.hasData,
      );
      for (const { client } of enabled) {
        if (wanted) client.start();
        else if (this.#isReplaced(preference)) client.stop();
      }
      if (enabled.some(isWell) || (wanted && undecided)) wanted = false;
    }
  }

  /** A more preferred cache is in sync: until then what this one has said is kept (RFC 8210 §10). */
  #isReplaced(preference: number): boolean {
    return [...this.#members].some((each) => each.preference < preference && each.enabled && isWell(each));
  }
}

function isWell({ client }: CacheMember): boolean {
  return isInSync(client.status);
}

/** With records that count, and no later trouble. */
export function isInSync({ hasData, problem }: CacheStatus): boolean {
  return hasData && problem === undefined;
}

function ascending(a: number, b: number): number {
  return a - b;
}
