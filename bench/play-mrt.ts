// `play-mrt FILE`: plays an MRT dump to a BGP speaker as one of its peers, holds the session, and says in JSON lines
// what it does.

import { parseArgs } from 'node:util';
import { FAMILIES } from '../src/bgp/wire/families.ts';
import { systemClock } from '../src/lib/clock.ts';
import { parseAddress, parseQuad } from '../src/lib/ip.ts';
import type { PeerChoice } from './load/from-files.ts';
import { replay } from './load/replay.ts';
import { LoadSession, sharedReadBuffer } from './load/session.ts';

const USAGE = `usage: play-mrt FILE --target ADDRESS --asn N --peer-as N [OPTIONS]
  --target ADDRESS   the speaker
  --port N           its port (default 179)
  --asn N            own AS
  --peer-as N        AS of the speaker
  --local ADDRESS    own address (default 0.0.0.0: the system's choice)
  --id QUAD          own BGP Identifier (default 192.0.2.1)
  --next-hop A       next hop of IPv4 routes (default: the own address)
  --next-hop6 A      next hop of IPv6 routes (default ::ffff:<next hop>)
  --peer P           peer of the dump: all, its address, or its number in order of appearance (default all)
  --hold S           seconds to stay after the last message; 0 = until SIGINT (default 0)
`;

const HOLD_TIME = 90;

function say(event: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

function peerChoice(text: string): PeerChoice {
  if (text === 'all') return 'all';
  return /^\d+$/.test(text) ? { index: Number(text) } : { address: text };
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      target: { type: 'string' },
      port: { type: 'string', default: '179' },
      asn: { type: 'string' },
      'peer-as': { type: 'string' },
      local: { type: 'string', default: '0.0.0.0' },
      id: { type: 'string', default: '192.0.2.1' },
      'next-hop': { type: 'string' },
      'next-hop6': { type: 'string' },
      peer: { type: 'string', default: 'all' },
      hold: { type: 'string', default: '0' },
    },
  });
  const [file] = positionals;
  if (
    file === undefined ||
    values.target === undefined ||
    values.asn === undefined ||
    values['peer-as'] === undefined
  ) {
    process.stderr.write(USAGE);
    process.exitCode = 2;
    return;
  }
  const nextHop = values['next-hop'] ?? values.local;
  const nextHop4 = parseAddress(nextHop);
  const nextHop6 = parseAddress(values['next-hop6'] ?? `::ffff:${nextHop}`);
  const id = parseQuad(values.id);
  if (nextHop4?.bytes.length !== 4 || nextHop6 === undefined || id === undefined)
    throw new Error('bad address');
  const { chunks, prefixes } = await replay(file, peerChoice(values.peer), {
    asn: Number(values.asn),
    peerAs: Number(values['peer-as']),
    nextHop4: nextHop4.bytes,
    nextHop6: nextHop6.bytes,
  });
  const stream = Buffer.concat(chunks);
  say({ event: 'prepared', prefixes: prefixes.size, octets: stream.length });
  const session = new LoadSession(
    {
      address: values.target,
      port: Number(values.port),
      localAddress: values.local,
      asn: Number(values.asn),
      id,
      holdTime: HOLD_TIME,
      families: FAMILIES,
    },
    {
      onEstablished: () => {
        say({ event: 'established' });
        session.send(stream, () => {
          say({ event: 'sent' });
          if (values.hold !== '0') systemClock.setTimer(Number(values.hold) * 1000, () => session.close());
        });
      },
      onUpdate: () => {},
      onReadDone: () => {},
      onDown: (reason) => {
        say({ event: 'down', reason });
        process.exitCode = 1;
      },
    },
    systemClock,
    sharedReadBuffer(),
  );
  process.on('SIGINT', () => session.close());
  process.on('SIGTERM', () => session.close());
  session.start();
}

await main();
