// What the configuration says of the RIB as a whole: who this speaker is, and how it decides.

import type { Config } from '../config/model.ts';
import { parseQuad } from '../lib/ip.ts';
import type { RibOptions } from '../rib/rib.ts';

export function ribOptions(config: Config): RibOptions {
  const { decision, kernel, router } = config;
  const clusterIds = [router.clusterId, ...clusterIdsOf(config)].map((id) => parseQuad(id) ?? 0);
  return {
    own: { routerId: parseQuad(router.id) ?? 0, clusterIds: [...new Set(clusterIds)] },
    decision: { ...decision, multipathLimit: kernel.install ? kernel.ecmp : 1 },
    defaultLocalPref: decision.defaultLocalPref,
    defaultMed: decision.defaultMed,
  };
}

/** Cluster ids that single peers are reflected under; a route that carries one has been here (RFC 4456 §8). */
function clusterIdsOf(config: Config): string[] {
  return [...config.peers, ...config.dynamicPeers].flatMap(({ clusterId }) => clusterId ?? []);
}
