// A peer's restart on its way from one process to another: what is kept for it, and for how much longer. Families go by
// name.

import { FAMILIES, type Family } from '../bgp/wire/families.ts';
import type { RestartOffer } from './restart-offer.ts';

export interface RestartImage {
  /** Without a session. */
  readonly waiting: WaitingImage | undefined;
  /** Milliseconds that are left of Long-Lived Stale Times. */
  readonly longLived: readonly (readonly [string, number])[];
  /** Families of which nothing is kept the next time. */
  readonly expired: readonly string[];
}

export interface WaitingImage {
  readonly families: readonly string[];
  /** Milliseconds; undefined once the Restart Time has passed. */
  readonly restartMs: number | undefined;
  readonly offer: OfferImage;
}

export interface OfferImage {
  readonly restartSeconds: number;
  readonly restarting: boolean;
  readonly families: readonly string[];
  readonly longLived: readonly (readonly [string, number])[];
  readonly kept: readonly string[];
  readonly preserved: readonly string[];
}

export function offerImage(offer: RestartOffer): OfferImage {
  return {
    restartSeconds: offer.restartSeconds,
    restarting: offer.restarting,
    families: namesOf(offer.families),
    longLived: [...offer.longLived].map(([{ name }, seconds]) => [name, seconds]),
    kept: namesOf(offer.kept),
    preserved: namesOf(offer.preserved),
  };
}

export function offerOf(image: OfferImage): RestartOffer {
  return {
    restartSeconds: image.restartSeconds,
    restarting: image.restarting,
    families: familiesOf(image.families),
    longLived: new Map(timesOf(image.longLived)),
    kept: familiesOf(image.kept),
    preserved: familiesOf(image.preserved),
  };
}

export function namesOf(families: Iterable<Family>): string[] {
  return [...families].map(({ name }) => name);
}

/** Those that there are here. */
export function familiesOf(names: readonly string[]): Family[] {
  return FAMILIES.filter(({ name }) => names.includes(name));
}

export function timesOf(times: readonly (readonly [string, number])[]): [Family, number][] {
  return times.flatMap(([name, time]) =>
    familiesOf([name]).map((family): [Family, number] => [family, time]),
  );
}
