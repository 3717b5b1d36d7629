// What happens to the interfaces of this host, as lines of the log: for protocols that follow them.

import { formatPrefix, parsePrefix } from '../../lib/ip.ts';
import type { Dialect } from '../../policy/lexer.ts';
import type { ProtocolKind } from '../api/protocols.ts';
import type { InterfaceView } from '../api/tables.ts';

/** Which kinds of protocols follow links, and which addresses, too. */
const FOLLOWERS: Readonly<Record<Dialect, { readonly [K in ProtocolKind]?: 'links' | 'addresses' }>> = {
  '1.6': { direct: 'addresses', static: 'links', kernel: 'links' },
  '2.x': { direct: 'addresses', kernel: 'links' },
};

interface Link {
  readonly up: boolean;
  /** Prefix -> rank. */
  readonly addresses: ReadonlyMap<string, string>;
}
export type Links = ReadonlyMap<string, Link>;

export function linksOf(views: readonly InterfaceView[]): Links {
  return new Map(
    views.map(({ name, adminUp, linkUp, addresses }) => [
      name,
      {
        up: adminUp && linkUp,
        addresses: new Map(addresses.map((each) => [networkOf(each.address, each.length), each.rank])),
      },
    ]),
  );
}

function networkOf(address: string, length: number): string {
  const text = `${address}/${length}`;
  const prefix = parsePrefix(text, true);
  return prefix === undefined ? text : formatPrefix(prefix);
}

/** Lines for a protocol of this kind, without its name. */
export function interfaceLines(before: Links, after: Links, kind: ProtocolKind, dialect: Dialect): string[] {
  const follows = FOLLOWERS[dialect][kind];
  if (follows === undefined) return [];
  const lines: string[] = [];
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const was = before.get(name);
    const is = after.get(name);
    const gone = [...(was?.addresses ?? [])].filter(([prefix]) => is?.addresses.has(prefix) !== true);
    const come = [...(is?.addresses ?? [])].filter(([prefix]) => was?.addresses.has(prefix) !== true);
    const tell = (addresses: readonly (readonly [string, string])[], verb: string): void => {
      if (follows === 'links') return;
      for (const [prefix, rank] of addresses) {
        const kindOf = dialect === '1.6' ? `${rank === 'secondary' ? 'secondary' : 'primary'} ` : '';
        lines.push(`< ${kindOf}address ${prefix} on interface ${name} ${verb}`);
      }
    };
    tell(gone, 'removed');
    if (was?.up === true && is?.up !== true) lines.push(`< interface ${name} goes down`);
    if (is?.up === true && was?.up !== true) lines.push(`< interface ${name} goes up`);
    tell(come, 'added');
  }
  return lines;
}
