// A peer that says anything, beside healthy ones, in the simulator: no healthy session is lost, what healthy peers get
// is well-formed, and when the hostile one has gone everything is as before.

import { encodeKeepalive } from '../../src/bgp/wire/header.ts';
import { MESSAGE_TYPE } from '../../src/bgp/wire/iana.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Random } from '../../src/lib/clock.ts';
import { brokenInvariants } from '../../src/sim/invariants.ts';
import type { MemHost } from '../../src/sim/network.ts';
import type { SimNode } from '../../src/sim/node.ts';
import { drawInteger, drawOne, drawTrue, seededRandom } from '../../src/sim/random.ts';
import { tableSizes } from '../../src/sim/tables.ts';
import { World } from '../../src/sim/world.ts';
import { ip } from '../support/raw-peer.ts';
import { drawMessage, drawOpen, mutateMessage } from './bgp.ts';
import { join, mutateBytes } from './mutate.ts';

const OWN_AS = 64_512;
const SESSIONS = 12;
const MESSAGES = 400;
const UP_MS = 15_000;
const QUIET_MS = 700_000;
const FAMILIES: ('ipv4-unicast' | 'ipv6-unicast')[] = ['ipv4-unicast', 'ipv6-unicast'];

interface Round {
  readonly messages: number;
  readonly broken: readonly string[];
}

/** Some sessions of a hostile peer with one speaker that has three healthy ones. */
export async function hostileRound(seed: number): Promise<Round> {
  const random = seededRandom(seed);
  const world = new World({ seed, network: { latencyMs: 1 } });
  const hostileAs = drawTrue(random) ? OWN_AS : 65_066;
  const timers = { errorWaitMin: 1, errorWaitMax: 2, connectDelayTime: 0, families: FAMILIES };
  const accept = { import: 'accept', export: 'accept' } as const;
  const peers: NonNullable<ConfigInput['peers']> = [
    { address: '10.0.0.2', asn: OWN_AS, routeReflectorClient: true, ...timers },
    { address: '10.0.0.3', asn: 65_003, ...accept, ...timers },
    { address: '10.0.0.4', asn: OWN_AS, addPath: true, ...timers },
    {
      address: '10.0.0.66',
      asn: hostileAs,
      ...accept,
      ...timers,
      passive: true,
      addPath: drawTrue(random),
      routeReflectorClient: hostileAs === OWN_AS && drawTrue(random),
      gracefulRestart: drawOne(random, ['off', 'helper'] as const),
    },
  ];
  const target = addNode(world, 1, OWN_AS, peers);
  const healthy = [
    addNode(world, 2, OWN_AS, [{ address: '10.0.0.1', asn: OWN_AS, ...timers }]),
    addNode(world, 3, 65_003, [{ address: '10.0.0.1', asn: OWN_AS, ...accept, ...timers }]),
    addNode(world, 4, OWN_AS, [{ address: '10.0.0.1', asn: OWN_AS, addPath: true, ...timers }]),
  ];
  for (const node of world.nodes) node.start();
  await world.run(UP_MS);
  const before = world.nodes.map((node) => JSON.stringify(tableSizes(node)));
  const host = world.network.host(ip('10.0.0.66'), ip('2001:db8::66'));
  let messages = 0;
  const broken: string[] = [];
  for (let session = 0; session < SESSIONS; session++) {
    messages += await oneSession(world, random, host, hostileAs);
    await world.run(drawOne(random, [10, 3000, 10_000]));
    broken.push(...lost(target, healthy));
  }
  await world.run(QUIET_MS);
  broken.push(...lost(target, healthy), ...brokenInvariants(world.nodes));
  for (const [i, node] of world.nodes.entries()) {
    const after = JSON.stringify(tableSizes(node));
    if (after !== before[i]) broken.push(`${node.name}: ${before[i]} has become ${after}`);
    broken.push(...node.log.filter((line) => node !== target && line.includes('malformed')));
  }
  return { messages, broken: [...new Set(broken)] };
}

function addNode(
  world: World,
  number: number,
  asn: number,
  peers: NonNullable<ConfigInput['peers']>,
): SimNode {
  const networks = [`10.100.${number}.0/24`, `2001:db8:${number}::/48`];
  const config: ConfigInput = { router: { asn, id: `10.0.0.${number}` }, control: false, peers, networks };
  return world.node(`node-${number}`, [`10.0.0.${number}`, `2001:db8::${number}`], config);
}

async function oneSession(world: World, random: Random, host: MemHost, as: number): Promise<number> {
  let ended = false;
  const open = drawOpen(random, as, 0x0a000042);
  const hello = drawTrue(random, 0.9) ? open : mutateMessage(random, open, open);
  const socket = host.connect(
    {
      remote: { address: ip('10.0.0.1'), port: 179 },
      local: { address: ip('10.0.0.66'), port: 0 },
      interface: undefined,
      ttl: undefined,
      minTtl: undefined,
      password: undefined,
    },
    {
      onConnect: () => socket.write([hello, encodeKeepalive()], () => undefined),
      onData: () => undefined,
      onEnd: () => {
        ended = true;
        socket.destroy();
      },
      onClose: () => {
        ended = true;
      },
    },
  );
  await world.run(20);
  const internal = as === OWN_AS ? undefined : as;
  // Some change little, so that their sessions last.
  const rudeness = drawOne(random, [0.02, 0.1, 0.6]);
  let sent = 0;
  let previous = drawMessage(random, internal);
  while (sent < MESSAGES && !ended) {
    const burst: Uint8Array[] = [];
    for (let count = drawInteger(random, 1, 40); count > 0; count--) {
      const message = drawMessage(random, internal);
      // A NOTIFICATION would end the session at once.
      const ends = message[18] === MESSAGE_TYPE.notification && !drawTrue(random, rudeness / 10);
      if (!ends) burst.push(drawTrue(random, rudeness) ? mutateMessage(random, message, previous) : message);
      previous = message;
    }
    sent += burst.length;
    const octets = join(...burst);
    socket.write(
      [drawTrue(random, rudeness / 10) ? mutateBytes(random, octets, hello) : octets],
      () => undefined,
    );
    await world.run(drawOne(random, [0, 1, 20]));
  }
  if (drawTrue(random, 0.8)) socket.destroy();
  else world.network.reset(ip('10.0.0.1'), ip('10.0.0.66'));
  return sent;
}

/** Healthy sessions that went down, ever. */
function lost(target: SimNode, healthy: readonly SimNode[]): string[] {
  const names = new Set(healthy.map(({ addresses }) => addresses[0]));
  const gone = target.api
    .peers()
    .filter(
      ({ address, state, downCount }) => names.has(address) && (state !== 'Established' || downCount > 0),
    );
  const errors = [target, ...healthy].flatMap(({ log }) => log.filter((line) => line.startsWith('error')));
  return [...gone.map(({ name, lastError }) => `healthy session ${name} was lost: ${lastError}`), ...errors];
}
