// A configuration in a few lines, for `godwit check`.

import { hostPort, IP_VERSIONS } from '../lib/ip.ts';
import {
  type Config,
  type DynamicPeersConfig,
  type KernelConfig,
  kernelOfFamily,
  type ListenConfig,
  type PeerConfig,
  type PeerSettings,
} from './model.ts';

/** The lines, without line ends: who this is, who its peers are, where it listens, what the kernel gets. */
export function summarize(config: Config): string[] {
  const { router, kernel } = config;
  const lines = [`AS ${router.asn}, router id ${router.id}, ${router.hostname}`];
  if (router.clusterId !== router.id) lines.push(`cluster id ${router.clusterId}`);
  lines.push(`peers: ${peersLine(config.peers, router.asn)}`);
  for (const range of config.dynamicPeers) lines.push(`dynamic peers: ${rangeLine(range, router.asn)}`);
  lines.push(
    `listening on ${config.listen.length === 0 ? 'nothing' : config.listen.map(endpoint).join(', ')}`,
  );
  const [ipv4, ipv6] = IP_VERSIONS.map((version) => kernelLine(kernelOfFamily(kernel, version)));
  if (ipv4 === ipv6) lines.push(`kernel: ${ipv4}`);
  else lines.push(`kernel, IPv4: ${ipv4}`, `kernel, IPv6: ${ipv6}`);
  if (config.networks.length > 0) lines.push(`announcing ${count(config.networks.length, 'network')}`);
  if (config.redistribute.length > 0) lines.push(`redistributing ${config.redistribute.join(', ')}`);
  lines.push(`control socket ${config.control.socket ?? 'off'}`);
  for (const { socket } of config.control.bird) lines.push(`BIRD's control socket ${socket}`);
  const { tcp } = config.control;
  if (tcp !== undefined) {
    lines.push(
      `control port ${hostPort(tcp.address, tcp.port)}, ${tcp.tls === undefined ? 'in the clear' : 'TLS'}`,
    );
  }
  if (config.http !== undefined) lines.push(`http on ${hostPort(config.http.address, config.http.port)}`);
  return lines;
}

function kernelLine({ install, table, metric, protocol, ecmp, learn }: KernelConfig): string {
  const parts = [
    install
      ? `routes installed into table ${table}, metric ${metric}, protocol ${protocol}, up to ${count(ecmp, 'next hop')}`
      : 'nothing installed',
    ...(learn.length > 0 ? [`learning ${learn.map(learned).join(', ')}`] : []),
  ];
  return parts.join('; ');
}

function peersLine(peers: readonly PeerConfig[], asn: number): string {
  if (peers.length === 0) return 'none configured';
  const kinds = new Map<string, number>();
  for (const peer of peers) {
    const kind = kindOf(peer, asn);
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  const disabled = peers.filter((peer) => !peer.enabled).length;
  const parts = [...kinds].map(([kind, number]) => `${number} ${kind}`);
  return `${peers.length} (${parts.join(', ')}${disabled > 0 ? `; ${disabled} disabled` : ''})`;
}

function kindOf(settings: PeerSettings, asn: number): string {
  if (settings.asn !== 'internal' && settings.asn !== asn) {
    if (settings.confederation?.inside) return 'confederation';
    return settings.routeServerClient ? 'eBGP route-server client' : 'eBGP';
  }
  return settings.routeReflectorClient ? 'iBGP reflector client' : 'iBGP';
}

function rangeLine(range: DynamicPeersConfig, asn: number): string {
  const where = range.interface === undefined ? range.prefix : `${range.prefix}%${range.interface}`;
  const label = range.name === where ? where : `${range.name} (${where})`;
  const as =
    range.asn === 'external' ? ', any other AS' : `, AS ${range.asn === 'internal' ? asn : range.asn}`;
  return `${label}, ${kindOf(range, asn)}${as}, up to ${range.limit}`;
}

function endpoint(listen: ListenConfig): string {
  const link = listen.interface === undefined ? '' : ` (${listen.interface})`;
  return hostPort(listen.address, listen.port) + link;
}

function learned(learn: { protocol: number | undefined; table: number | undefined }): string {
  const parts = [
    ...(learn.protocol === undefined ? [] : [`protocol ${learn.protocol}`]),
    ...(learn.table === undefined ? [] : [`table ${learn.table}`]),
  ];
  return parts.length === 0 ? 'all foreign routes' : parts.join(' in ');
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
