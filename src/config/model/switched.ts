// What a configuration in BIRD's language comes to where operators have switched protocols otherwise than it says.

import type { Config } from '../model.ts';

/** What depends on which protocols are on. */
export type SwitchedSections = Required<
  Pick<
    Config,
    | 'kernel'
    | 'networks'
    | 'redistribute'
    | 'localPolicies'
    | 'tables'
    | 'pipes'
    | 'mrt'
    | 'rpki'
    | 'bmp'
    | 'bfdSessions'
    | 'peers'
    | 'dynamicPeers'
    | 'bird'
  >
>;

/** `protocols`: by name, true for on. */
export type Switched = (protocols: ReadonlyMap<string, boolean>) => SwitchedSections;
