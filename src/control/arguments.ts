// How a command's row describes what it takes: the field of the request it fills, how the command line writes it,
// and what completes it. The command line and its completion are built from these.

import { FAMILIES } from '../bgp/wire/families.ts';
import { NETWORK_TYPES, PEER_ACTIONS, REFRESH_DIRECTIONS } from './protocol.ts';

export interface ArgumentSpec {
  /** Field of the request. */
  readonly field: string;
  /** `--flag` of an option; undefined = a positional argument. */
  readonly flag: string | undefined;
  /** Placeholder of the value; undefined = an option without value. */
  readonly value: string | undefined;
  readonly type: 'text' | 'number' | 'flag' | 'list';
  readonly required: boolean;
  readonly help: string;
  readonly choices?: readonly string[];
  /** Other words for some of the choices. */
  readonly short?: Readonly<Record<string, string>>;
  /** What the daemon is asked for when the shell completes the value. */
  readonly complete?: 'peer' | undefined;
}

/** Makes an option with a text value. */
export function option(
  field: string,
  flag: string,
  value: string,
  help: string,
  complete?: 'peer',
): ArgumentSpec {
  return { field, flag, value, type: 'text', required: false, help, complete };
}

/** Makes an option without a value. */
export function flag(field: string, name: string, help: string): ArgumentSpec {
  return { field, flag: name, value: undefined, type: 'flag', required: false, help };
}

/** Makes an option with an unsigned number of 32 bits. */
export function number(field: string, name: string, help: string): ArgumentSpec {
  return { field, flag: name, value: 'NUMBER', type: 'number', required: false, help };
}

/** Makes an option that may be repeated. */
export function list(field: string, name: string, value: string, help: string): ArgumentSpec {
  return { field, flag: name, value, type: 'list', required: false, help };
}

const positional = { flag: undefined, type: 'text', required: true } as const;

export const prefix: ArgumentSpec = { ...positional, field: 'prefix', value: 'PREFIX', help: 'a prefix' };

export const peerName: ArgumentSpec = {
  ...positional,
  field: 'name',
  value: 'PEER',
  help: 'name or address of the peer',
  complete: 'peer',
};

export const peerAction: ArgumentSpec = {
  ...positional,
  field: 'action',
  value: 'ACTION',
  help: 'what to do',
  // Files are the command line's own affair.
  choices: [...PEER_ACTIONS, 'capture'],
};

export const refreshDirection: ArgumentSpec = {
  ...option('direction', '--direction', 'DIRECTION', 'which routes to refresh (both unless given)'),
  choices: REFRESH_DIRECTIONS,
};

export const networkType: ArgumentSpec = {
  ...option('type', '--type', 'TYPE', 'kernel route to go with it (none unless given)'),
  choices: NETWORK_TYPES,
};

export const file: ArgumentSpec = {
  ...positional,
  required: false,
  field: 'file',
  value: 'FILE',
  help: 'configuration, as the daemon finds it; the one in use unless given',
};

export const longer: ArgumentSpec = flag('longer', '--longer', 'everything inside the prefix too');

const UNICAST = '-unicast';

export const family: ArgumentSpec = {
  ...option('family', '--family', 'FAMILY', 'only this address family; ipv4 and ipv6 for short'),
  choices: FAMILIES.map((each) => each.name),
  short: Object.fromEntries(
    FAMILIES.filter(({ name }) => name.endsWith(UNICAST)).map(({ name }) => [
      name.slice(0, -UNICAST.length),
      name,
    ]),
  ),
};
