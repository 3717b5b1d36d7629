// How two sets of servers differ, caches of RPKI data, BMP stations or other ends of BFD, in sentences.

import { sameValue } from './peer-changes.ts';

/** One sentence a server that is new, gone or changed; `what` it is begins it. */
export function serverChanges(
  what: string,
  before: readonly { readonly name: string }[] = [],
  after: readonly { readonly name: string }[] = [],
): string[] {
  const old = new Map(before.map((server) => [server.name, server]));
  const sentences = after.flatMap((server) => {
    const known = old.get(server.name);
    old.delete(server.name);
    if (known === undefined) return [`${what} ${server.name} is new`];
    return sameValue(known, server) ? [] : [`${what} ${server.name} changes`];
  });
  return [...sentences, ...[...old.keys()].map((name) => `${what} ${name} is removed`)];
}
