// The secrets of a configuration, for those who must not say one by accident.

import type { Config, Secret } from './model.ts';

export function knownSecrets(config: Config): readonly Secret[] {
  const { peers, dynamicPeers, rpki = [], bmp = [], bfdSessions = [] } = config;
  const servers = [...rpki, ...bmp].flatMap(({ password }) => password ?? []);
  const watched = [...peers, ...dynamicPeers, ...bfdSessions].flatMap(({ bfd }) => bfd?.auth?.keys ?? []);
  const sessions = [...peers, ...dynamicPeers].flatMap(({ password, tcpAo = [] }) => [
    ...(password === undefined ? [] : [password]),
    ...tcpAo.map(({ secret }) => secret),
  ]);
  return [...sessions, ...watched.map(({ password }) => password), ...servers];
}
