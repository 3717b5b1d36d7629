// The secrets of a configuration, for those who must not say one by accident.

import type { Config, Secret } from './model.ts';

export function knownSecrets({ peers, dynamicPeers, rpki = [], bmp = [] }: Config): readonly Secret[] {
  const servers = [...rpki, ...bmp].flatMap(({ password }) => password ?? []);
  const sessions = [...peers, ...dynamicPeers].flatMap(({ password, tcpAo = [], bfd }) => [
    ...(password === undefined ? [] : [password]),
    ...tcpAo.map(({ secret }) => secret),
    ...(bfd?.auth?.keys.map((key) => key.password) ?? []),
  ]);
  return [...sessions, ...servers];
}
