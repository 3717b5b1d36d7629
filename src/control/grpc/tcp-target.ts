// A daemon that is reached over TCP, as the client sees it: where it is, and the certificates that both sides show.
// Whether it can be reached at all is tried first, as the error of a handshake says more than gRPC's.

import { readFileSync } from 'node:fs';
import { connect, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, createSecureContext } from 'node:tls';
import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';
import { errorText } from '../../lib/error-text.ts';

export interface TcpTarget {
  /** `HOST:PORT`, `[ADDRESS]:PORT` */
  readonly server: string;
  /** Paths of PEM files; undefined = in the clear. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string } | undefined;
}

const PROBE_TIMEOUT_MS = 5000;

interface Pem {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

const NOT_BELIEVED = 'it does not believe the certificate of --tls-cert, or is no godwit';

/** In the place of an address, which is no name to ask for (RFC 6066 §3). */
const NAMELESS = 'godwit';

/** What to call with. Rejects with a sentence where a file or the daemon is out of reach. */
export async function openTarget({ server, tls }: TcpTarget): Promise<{
  readonly channel: ChannelCredentials;
  readonly options: ChannelOptions;
}> {
  const { host, port } = endpointOf(server);
  const pem = tls && { ca: readPem(tls.ca), cert: readPem(tls.cert), key: readPem(tls.key) };
  if (tls !== undefined && pem !== undefined) checkPair(tls, pem);
  const problem = await probe(host, port, pem);
  if (problem !== undefined) throw new Error(`The daemon does not answer on ${server}: ${problem}`);
  if (pem === undefined) return { channel: credentials.createInsecure(), options: {} };
  return {
    channel: credentials.createSsl(pem.ca, pem.key, pem.cert, {
      checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
    }),
    options: isIP(host) === 0 ? {} : { 'grpc.ssl_target_name_override': NAMELESS },
  };
}

function endpointOf(server: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(server);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) throw new Error(`${server} is not HOST:PORT or [ADDRESS]:PORT`);
  return { host, port: Number(match?.[3]) };
}

/** Node says less: `x509 certificate routines::key values mismatch`. */
function checkPair({ cert, key }: NonNullable<TcpTarget['tls']>, pem: Pem): void {
  try {
    createSecureContext({ ...pem });
  } catch (error) {
    if (error instanceof Error && error.message.includes('key values mismatch')) {
      throw new Error(`The key ${key} does not belong to the certificate ${cert}.`);
    }
    throw new Error(`${cert}, ${key} or the file of --tls-ca is not usable: ${errorText(error)}`);
  }
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new Error(`The TLS file ${path} cannot be read: ${reason}.`);
  }
}

/** Undefined where a connection can be made, else why not. */
function probe(host: string, port: number, pem: Pem | undefined): Promise<string | undefined> {
  return new Promise((settle) => {
    let refusal = 'it hangs up';
    const done = (problem: string | undefined) => {
      // Not destroyed where all is well: the daemon would take that for a client which it has to refuse.
      if (problem === undefined) socket.end();
      else socket.destroy();
      settle(problem);
    };
    const socket: Socket =
      pem === undefined
        ? connect({ host, port }, () => done(undefined))
        : connectTls({ host, port, ...pem, ALPNProtocols: ['h2'] }, () => {
            refusal = NOT_BELIEVED;
          });
    // With TLS 1.3 this side is through before the daemon has looked at the certificate. The first octets of HTTP/2 are
    // the daemon's, and say that it believes it.
    socket.once('data', () => done(undefined));
    socket.setTimeout(PROBE_TIMEOUT_MS, () => done('it takes too long'));
    socket.on('error', (error) => done(refusal === NOT_BELIEVED ? refusal : error.message));
    socket.once('close', () => done(refusal));
  });
}
