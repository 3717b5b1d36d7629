// Peers that are made when they call from a configured prefix and go with their connection.

import { isDeepStrictEqual } from 'node:util';
import type { ListenerSet } from '../bgp/session/listener.ts';
import type { Peer } from '../bgp/session/peer.ts';
import type { DynamicRange } from '../bgp/session/peer-directory.ts';
import type { Endpoint } from '../bgp/session/transport.ts';
import type { Config, DynamicPeersConfig } from '../config/model.ts';
import { linkMatcher } from '../lib/interface-patterns.ts';
import { formatAddress, type IpAddress, isLinkLocal, parsePrefix, prefixContains } from '../lib/ip.ts';
import { MemberNames, type MemberNamesImage } from './member-names.ts';
import type { PeerHandle, PeerRegistry } from './peer-registry.ts';
import type { RestartHelper } from './restart-helper.ts';

interface Range {
  config: DynamicPeersConfig;
  range: DynamicRange;
}

/** A member that is restarting: gone as a peer, while its routes wait. */
export interface Away {
  readonly range: string;
  readonly address: Uint8Array;
  readonly restarts: RestartHelper;
}

export class DynamicPeers {
  readonly #registry: PeerRegistry;
  readonly #listeners: ListenerSet;
  readonly #ranges = new Map<string, Range>();
  readonly #names = new MemberNames();
  /** By name. */
  readonly #away = new Map<string, Away>();

  constructor(registry: PeerRegistry, listeners: ListenerSet) {
    this.#registry = registry;
    this.#listeners = listeners;
  }

  add(config: DynamicPeersConfig): void {
    const prefix = parsePrefix(config.prefix);
    if (prefix === undefined) throw new RangeError(`${config.prefix} is no prefix`);
    const range: DynamicRange = {
      name: config.name,
      prefix,
      takesFrom: linkMatcher(config),
      limit: config.limit,
      password: config.password,
      tcpAo: config.tcpAo,
      admit: (remote) => this.#admit(config, remote),
    };
    this.#ranges.set(config.name, { config, range });
    this.#listeners.addRange(range);
  }

  /** Ranges stand in this order in the configuration, whichever of them were added or changed last. */
  useOrder(configs: readonly DynamicPeersConfig[]): void {
    this.#listeners.orderRanges(configs.map(({ name }) => name));
  }

  /** Ends the sessions of the range, too. */
  remove(name: string): void {
    this.#unlisten(name);
    for (const handle of this.#members(name)) this.#drop(handle);
    this.#giveUp((away) => away.range === name);
    this.#names.forget(name);
  }

  /** New settings for a range and for the sessions it admitted; sessions from outside its prefix end. */
  update(config: Config, after: DynamicPeersConfig, softIn: boolean, softOut: boolean): void {
    const before = this.#ranges.get(after.name)?.config.memberNames;
    if (!isDeepStrictEqual(before, after.memberNames)) this.#names.forget(after.name);
    this.#unlisten(after.name);
    this.add(after);
    const prefix = parsePrefix(after.prefix)!;
    const takesFrom = linkMatcher(after);
    const belongs = ({ bytes, zone }: IpAddress) =>
      after.enabled && prefixContains(prefix, bytes) && (zone === undefined || takesFrom?.(zone) !== false);
    this.#giveUp((away) => away.range === after.name && !belongs({ bytes: away.address }));
    for (const handle of this.#members(after.name)) {
      if (!belongs(handle.address)) {
        this.#drop(handle);
        continue;
      }
      this.#registry.update(handle, config, { ...after, passive: true });
      if (softIn) this.#registry.refreshIn(handle);
      if (softOut) this.#registry.refreshOut(handle);
    }
  }

  /** This address is a configured peer's from now on: a member that has it ends, to come back as that peer. */
  yieldTo(address: IpAddress): void {
    for (const name of this.#names.of(formatAddress(address.bytes, address.zone))) {
      const member = this.#registry.named(name);
      if (member?.range !== undefined) this.#drop(member);
      this.#giveUp((_away, other) => other === name);
    }
  }

  /** Members that are restarting, by name. */
  away(): ReadonlyMap<string, Away> {
    return new Map([...this.#away].filter(([, { restarts }]) => restarts.isWaiting));
  }

  /** What members are called, those included that are not here. */
  get memberNames(): MemberNamesImage[] {
    const numbered = [...this.#ranges.values()].filter(({ config }) => config.memberNames !== undefined);
    return numbered.map(({ config }) => this.#names.image(config));
  }

  /** The same of another process, once the ranges are configured and before anybody is admitted. */
  restoreNames(images: readonly MemberNamesImage[]): void {
    for (const image of images) {
      const config = this.#ranges.get(image.range)?.config;
      if (config !== undefined) this.#names.restore(config, image);
    }
  }

  /** What a member was called by another process; before it is admitted here. */
  keepName(range: string, { bytes, zone }: IpAddress, name: string): void {
    const config = this.#ranges.get(range)?.config;
    if (config?.memberNames === undefined) return;
    this.#names.keep(config, formatAddress(bytes, isLinkLocal(bytes) ? zone : undefined), name);
  }

  /** A member of another process is restarting; where its range is no more, nobody waits for it. */
  waitFor(name: string, away: Away): void {
    if (this.#ranges.has(away.range)) this.#away.set(name, away);
    else away.restarts.giveUp();
  }

  /** Nobody is waited for any more. */
  stop(): void {
    this.#giveUp(() => true);
  }

  #admit(config: DynamicPeersConfig, remote: Endpoint): Peer | undefined {
    if (!config.enabled || config.closed === true) return undefined;
    const address = { bytes: remote.address, ...(remote.zone === undefined ? {} : { zone: remote.zone }) };
    const at = formatAddress(address.bytes, address.zone);
    // A second connection of the same peer finds the first in the directory; a taken address is a configured peer's.
    if (this.#registry.find(at) !== undefined) return undefined;
    const name = this.#names.nameOf(config, at, (each) => this.#registry.named(each) !== undefined);
    this.#forgetDisabled(config);
    const identity = { name, address, range: config.name };
    const restarts = this.#away.get(name)?.restarts;
    this.#away.delete(name);
    const handle = this.#registry.add(
      identity,
      { ...config, passive: true },
      () => this.#retired(handle),
      restarts,
    );
    handle.peer.start();
    return handle.peer;
  }

  /** Whoever calls and is switched off stays known, to stay out: as many as the range may have, the latest of them. */
  #forgetDisabled({ name, limit }: DynamicPeersConfig): void {
    const disabled = this.#members(name).filter(({ peer }) => !peer.adminUp);
    for (const handle of disabled.slice(0, Math.max(0, disabled.length - limit))) this.#drop(handle);
  }

  /** The connection of a member has ended; its routes may wait for it (RFC 4724 §4.2). */
  #retired(handle: PeerHandle): void {
    const { name, range, address, restarts } = handle;
    if (range === undefined || !restarts.isWaiting) {
      this.#drop(handle);
      return;
    }
    this.#listeners.remove(handle.peer);
    this.#registry.forget(handle);
    for (const [other, away] of this.#away) if (!away.restarts.isWaiting) this.#away.delete(other);
    this.#away.set(name, { range, address: address.bytes, restarts });
  }

  #giveUp(concerned: (away: Away, name: string) => boolean): void {
    for (const [name, away] of this.#away) {
      if (!concerned(away, name)) continue;
      away.restarts.giveUp();
      this.#away.delete(name);
    }
  }

  #members(name: string): PeerHandle[] {
    return [...this.#registry.values()].filter((handle) => handle.range === name);
  }

  #drop(handle: PeerHandle): void {
    this.#listeners.remove(handle.peer);
    this.#registry.remove(handle);
  }

  #unlisten(name: string): void {
    const known = this.#ranges.get(name);
    if (known === undefined) return;
    this.#listeners.removeRange(known.range);
    this.#ranges.delete(name);
  }
}
