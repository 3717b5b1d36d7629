// `play-mrt FILE`: plays an MRT dump to a BGP speaker as one of its peers, holds the session, and says in JSON lines
// what it does.

import { parseArgs } from 'node:util';
import { FAMILIES } from '../src/bgp/wire/families.ts';
import { BGP_PORT } from '../src/bgp/wire/iana.ts';
import { systemClock } from '../src/lib/clock.ts';
import { parseAddress, parseQuad } from '../src/lib/ip.ts';
import { positive, program } from './arguments.ts';
import type { PeerChoice } from './load/from-files.ts';
import { replay } from './load/replay.ts';
import { LoadSession, sharedReadBuffer } from './load/session.ts';

const USAGE = `usage: play-mrt FILE --target ADDRESS --local ADDRESS --asn N --peer-as N [OPTIONS]
  --target ADDRESS   the speaker
  --local ADDRESS    own address
  --port N           its port (default 179)
  --asn N            own AS
  --peer-as N        AS of the speaker
  --id QUAD          own BGP Identifier (default 192.0.2.1)
  --next-hop A       next hop of IPv4 routes (default: the own address)
  --next-hop6 A      next hop of IPv6 routes (default ::ffff:<next hop>)
  --peer P           peer of the dump: all, its address, or its number in order of appearance (default all)
  --hold S           seconds to stay after the last message (default: until SIGINT)
`;

const HOLD_TIME = 90;

function say(event: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

function peerChoice(text: string): PeerChoice {
  if (text === 'all') return 'all';
  return /^\d+$/.test(text) ? { index: Number(text) } : { address: text };
}

function address(option: string, octets: 4 | 16, text: string): Uint8Array {
  const bytes = parseAddress(text)?.bytes;
  if (bytes?.length !== octets) {
    throw new Error(`--${option} must be an IPv${octets === 4 ? 4 : 6} address, not ${text}`);
  }
  return bytes;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      target: { type: 'string' },
      port: { type: 'string' },
      asn: { type: 'string' },
      'peer-as': { type: 'string' },
      local: { type: 'string' },
      id: { type: 'string', default: '192.0.2.1' },
      'next-hop': { type: 'string' },
      'next-hop6': { type: 'string' },
      peer: { type: 'string', default: 'all' },
      hold: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const [file] = positionals;
  const { target, local, asn: ownAs, 'peer-as': theirAs } = values;
  if (!file || !target || !local || !ownAs || !theirAs) {
    throw new Error('a FILE, --target, --local, --asn and --peer-as are needed; --help tells what they are');
  }
  const asn = positive('asn', ownAs, 0);
  const peerAs = positive('peer-as', theirAs, 0);
  const hold = positive('hold', values.hold, 0);
  const nextHop = values['next-hop'] ?? local;
  const nextHop4 = address('next-hop', 4, nextHop);
  const nextHop6 = address('next-hop6', 16, values['next-hop6'] ?? `::ffff:${nextHop}`);
  const id = parseQuad(values.id);
  if (id === undefined) throw new Error(`--id must be a dotted quad, not ${values.id}`);
  const { chunks, prefixes } = await replay(file, peerChoice(values.peer), {
    asn,
    peerAs,
    nextHop4,
    nextHop6,
  });
  const stream = Buffer.concat(chunks);
  say({ event: 'prepared', prefixes: prefixes.size, octets: stream.length });
  const session = new LoadSession(
    {
      address: target,
      port: positive('port', values.port, BGP_PORT),
      localAddress: local,
      asn,
      id,
      holdTime: HOLD_TIME,
      families: FAMILIES,
    },
    {
      onEstablished: () => {
        say({ event: 'established' });
        session.send(stream, () => {
          say({ event: 'sent' });
          if (hold > 0) systemClock.setTimer(hold * 1000, () => session.close());
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

await program(main);
