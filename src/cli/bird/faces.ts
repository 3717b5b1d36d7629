// The names by which this program is called, and what each of them is: BIRD's daemons and clients, or godwit itself.

import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import type { Face } from './options.ts';

export const DAEMONS: Readonly<Record<string, Face>> = {
  bird: { name: 'bird', config: '/etc/bird/bird.conf', socket: '/run/bird/bird.ctl' },
  bird6: { name: 'bird6', config: '/etc/bird/bird6.conf', socket: '/run/bird/bird6.ctl' },
};

export interface ClientFace {
  readonly name: string;
  /** With line editing, completion and a pager. */
  readonly interactive: boolean;
  /** Default sockets; the first that is there is taken. Calico's daemons have theirs elsewhere. */
  readonly sockets: readonly string[];
}

const SOCKETS = ['/run/bird/bird.ctl', '/var/run/calico/bird.ctl'];
const SOCKETS6 = ['/run/bird/bird6.ctl', '/var/run/calico/bird6.ctl'];

export const CLIENTS: Readonly<Record<string, ClientFace>> = {
  birdc: { name: 'birdc', interactive: true, sockets: SOCKETS },
  birdc6: { name: 'birdc6', interactive: true, sockets: SOCKETS6 },
  birdcl: { name: 'birdcl', interactive: false, sockets: SOCKETS },
  birdcl6: { name: 'birdcl6', interactive: false, sockets: SOCKETS6 },
};

/** The socket to connect to where none is named. */
export function defaultSocket({ sockets }: ClientFace): string {
  return sockets.find((path) => existsSync(path)) ?? sockets[0]!;
}

/**
 * The face and its arguments, by the name that the program is called (`/usr/sbin/bird`) or by godwit's first word
 * (`godwit bird`); undefined for godwit itself.
 */
export function faceOf(
  program: string,
  argv: readonly string[],
): { name: string; argv: readonly string[] } | undefined {
  const called = basename(program).replace(/\.js$/, '');
  if (isFace(called)) return { name: called, argv };
  const [first = '', ...rest] = argv;
  return isFace(first) ? { name: first, argv: rest } : undefined;
}

function isFace(name: string): boolean {
  return Object.hasOwn(DAEMONS, name) || Object.hasOwn(CLIENTS, name);
}
