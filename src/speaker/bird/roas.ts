// Entries of ROA and ASPA tables, as far as they are written into the configuration: routes of static protocols in 2.x,
// the table's own block in 1.6.

import type { Config } from '../../config/model.ts';
import type { RoaView } from '../api/tables.ts';
import { channelTable } from './declared.ts';

export interface StaticRoa extends RoaView {
  readonly protocol: string;
}

export function* roasOf(config: Config): Iterable<StaticRoa> {
  const { bird } = config;
  if (bird === undefined) return;
  for (const table of bird.tables.values()) {
    for (const { prefix, maxLength, asn } of table.roas ?? []) {
      yield { table: table.name, prefix, maxLength, asn, protocol: '' };
    }
  }
  for (const protocol of bird.protocols) {
    if (protocol.kind !== 'static' || protocol.common.disabled === true) continue;
    for (const { net, target } of protocol.options.routes) {
      if (target.kind !== 'roa') continue;
      const channel = net.text.includes(':') ? 'roa6' : 'roa4';
      const table = channelTable(config, channel, channelOf(protocol.channels, channel));
      const { maxLength, asn } = target;
      yield { table, prefix: net.text, maxLength, asn, protocol: protocol.name };
    }
  }
}

function channelOf<T>(channels: ReadonlyMap<string, T>, name: string): T | undefined {
  return channels.get(name);
}

/** `203.0.113.0/24-24 AS64512` */
export function roaText({ prefix, maxLength, asn }: RoaView): string {
  return `${prefix}-${maxLength} AS${asn}`;
}

export interface StaticAspa {
  readonly table: string;
  readonly customer: number;
  /** None for an AS without any. */
  readonly providers: readonly number[];
  readonly protocol: string;
}

export function* aspasOf(config: Config): Iterable<StaticAspa> {
  for (const protocol of config.bird?.protocols ?? []) {
    if (protocol.kind !== 'static' || protocol.common.disabled === true) continue;
    for (const { net, target } of protocol.options.routes) {
      if (target.kind !== 'aspa') continue;
      const table = channelTable(config, 'aspa', channelOf(protocol.channels, 'aspa'));
      const providers = target.providers ?? [];
      yield { table, customer: Number(net.text), providers, protocol: protocol.name };
    }
  }
}

export function aspaText({ customer, providers }: StaticAspa): string {
  return `${customer}: ${providers.join(' ')}`;
}
