// How the daemon is reached and what it is to the system: as written -> the model. Whether users and groups exist, and
// what is in the files of certificates, is found out where the daemon runs.

import { isLoopback, parseAddress } from '../lib/ip.ts';
import type { IssueList } from './issues.ts';
import {
  type ControlConfig,
  type ControlTcpConfig,
  DEFAULT_SOCKET,
  type ProcessConfig,
  SOCKET_MODE,
  type SocketAccess,
} from './model.ts';
import type { ControlInput, ProcessInput } from './schema-control.ts';
import { parseEndpoint } from './values.ts';

/** Seconds. */
const WATCH_FILES = 10;

type ControlObject = Exclude<ControlInput, false>;
type AccessInput = Pick<ControlObject, 'owner' | 'group' | 'restricted' | 'allow' | 'allowChanges'>;

/** `locate` makes a path absolute, seen from the configuration file. */
export function buildControl(
  input: ControlInput | undefined,
  locate: (path: string) => string,
  issues: IssueList,
): ControlConfig {
  if (input === false) return { socket: undefined, mode: SOCKET_MODE, bird: [] };
  const bird = input?.bird;
  const tcp = input?.tcp;
  return {
    socket: input?.socket ?? DEFAULT_SOCKET,
    mode: modeOf(input?.mode),
    ...accessOf(input ?? {}),
    ...(tcp !== undefined && { tcp: buildTcp(tcp, locate, issues) }),
    bird:
      bird === undefined
        ? []
        : [
            {
              socket: bird.socket,
              mode: modeOf(bird.mode),
              style: bird.style ?? 'auto',
              ...accessOf(bird),
              restricted: bird.restricted ?? false,
            },
          ],
  };
}

function modeOf(octal: string | undefined): number {
  return octal === undefined ? SOCKET_MODE : Number.parseInt(octal, 8);
}

/** Only what is written: most sockets have nothing of it. */
function accessOf({ owner, group, restricted, allow, allowChanges }: AccessInput): SocketAccess {
  return {
    ...(owner !== undefined && { owner: String(owner) }),
    ...(group !== undefined && { group: String(group) }),
    ...(restricted !== undefined && { restricted }),
    ...(allow !== undefined && { allow: allow.map(String) }),
    ...(allowChanges !== undefined && { allowChanges: allowChanges.map(String) }),
  };
}

/** Nothing that changes routes is open to a network by oversight. */
function buildTcp(
  input: NonNullable<ControlObject['tcp']>,
  locate: (path: string) => string,
  issues: IssueList,
): ControlTcpConfig {
  const path = ['control', 'tcp'];
  const { address = '', port = 0 } = parseEndpoint(input.listen) ?? {};
  const { tls } = input;
  const bytes = parseAddress(address)?.bytes;
  const loopback = bytes !== undefined && isLoopback(bytes);
  if (tls === undefined && !loopback && input.insecure !== true) {
    issues.error(
      [...path, 'listen'],
      `${address} is no loopback address, and without tls everybody who reaches it commands this speaker`,
      'add tls: { ca, cert, privateKey }, or insecure: true where something else protects it',
    );
  } else if (tls !== undefined && input.insecure === true) {
    issues.error([...path, 'insecure'], 'insecure contradicts tls', 'take one of them out', 'key');
  }
  return {
    address,
    port,
    tls: tls && { ca: locate(tls.ca), cert: locate(tls.cert), key: locate(tls.privateKey) },
    restricted: input.restricted ?? false,
  };
}

export function buildProcess(input: ProcessInput | undefined): ProcessConfig {
  return {
    user: input?.user === undefined ? undefined : String(input.user),
    group: input?.group === undefined ? undefined : String(input.group),
    watchFiles: input?.watchFiles ?? WATCH_FILES,
  };
}
