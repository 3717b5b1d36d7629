// `authentication ao` and its keys, as BIRD 2.17 and later write them -> TCP-AO keys of the model. `authentication md5`
// and `none` say what a password, or none, says already.

import type { TcpAoKeyConfig } from '../model.ts';
import type { BgpKey, BgpOptions } from './bgp-options.ts';

/** Words of the language -> the model's. What is missing here signs no TCP segment. */
const ALGORITHMS: Readonly<Record<string, TcpAoKeyConfig['algorithm']>> = {
  'hmac md5': 'hmac-md5',
  'hmac sha1': 'hmac-sha1',
  'hmac sha224': 'hmac-sha224',
  'hmac sha256': 'hmac-sha256',
  'hmac sha384': 'hmac-sha384',
  'hmac sha512': 'hmac-sha512',
  'cmac aes128': 'cmac-aes128',
};
const DEFAULT_ALGORITHM = 'cmac aes128';

/** Undefined unless TCP-AO is asked for; a key that lacks something is left out, which aoComplaint reports. */
export function aoKeysOf({ authentication, keys = [] }: BgpOptions): readonly TcpAoKeyConfig[] | undefined {
  if (authentication !== 'ao') return undefined;
  return keys.flatMap((key) => aoKeyOf(key) ?? []);
}

function aoKeyOf(key: BgpKey): TcpAoKeyConfig | undefined {
  const algorithm = ALGORITHMS[key.algorithm ?? DEFAULT_ALGORITHM];
  const { sendId, recvId, secret, preferred, deprecated } = key;
  if (sendId === undefined || recvId === undefined || secret === undefined || algorithm === undefined) {
    return undefined;
  }
  const use = preferred === true ? 'preferred' : deprecated === true ? 'deprecated' : 'normal';
  return { sendId, receiveId: recvId, algorithm, secret, use };
}

/** What keeps a protocol's keys from being used: nobody goes on with fewer keys than are written. */
export function aoComplaint(options: BgpOptions): { message: string; hint: string } | undefined {
  const { authentication, keys = [] } = options;
  if (authentication !== 'ao') return undefined;
  if (keys.length === 0) {
    return { message: 'TCP-AO has no keys', hint: 'add keys { key { id N; secret "..."; }; };' };
  }
  const bad = keys.find((key) => aoKeyOf(key) === undefined);
  if (bad !== undefined) {
    const algorithm = bad.algorithm ?? DEFAULT_ALGORITHM;
    if (ALGORITHMS[algorithm] === undefined) {
      return { message: `${algorithm} is no algorithm of TCP-AO`, hint: 'hmac sha1 or cmac aes128' };
    }
    return { message: 'a key lacks its id or secret', hint: 'key { id N; secret "..."; };' };
  }
  const unique = (ids: readonly unknown[]) => new Set(ids).size === ids.length;
  if (!unique(keys.map((key) => key.sendId)) || !unique(keys.map((key) => key.recvId))) {
    return { message: 'two keys have one id', hint: 'give each its own' };
  }
  if (keys.every((key) => key.deprecated === true && key.preferred !== true)) {
    return { message: 'all keys are deprecated', hint: 'one is needed to sign with' };
  }
  return undefined;
}
