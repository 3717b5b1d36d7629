// Every daemon that the bench and the labs know. A new one is a file beside this one and a row here.

import { bird } from './bird.ts';
import { exabgp } from './exabgp.ts';
import { frr } from './frr.ts';
import { gobgp } from './gobgp.ts';
import { godwit } from './godwit.ts';
import { openbgpd } from './openbgpd.ts';
import type { DaemonMaker, DaemonName } from './types.ts';

export const DAEMONS: Readonly<Record<DaemonName, DaemonMaker>> = {
  godwit,
  bird,
  frr,
  gobgp,
  openbgpd,
  exabgp,
};
