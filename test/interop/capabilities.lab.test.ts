// A peer that is kept from capabilities, by godwit in BIRD's place and by BIRD itself: the other end is BIRD as it is.
// What each of the two makes of a path with large AS numbers must be the same.

import { describe, expect, test } from 'vitest';
import { waitFor } from '../../bench/lab/command.ts';
import type { BirdKind } from '../support/lab/bird-process.ts';
import { labOfEachTest, type Node } from '../support/lab/lab.ts';
import { labRequirement } from '../support/lab/requirement.ts';

const createLab = labOfEachTest();

const AS = { one: 70000, two: 65002, trans: 23456 } as const;
const OURS = '198.51.100.0/24';
const THEIRS = '203.0.113.0/24';

interface Side {
  readonly self: Node;
  readonly other: Node;
  readonly asn: number;
  readonly otherAs: number;
  readonly network: string;
}

function config({ self, other, asn, otherAs, network }: Side, statement = ''): string {
  return `router id ${self.ipv4};
protocol device { }
protocol static { ipv4; route ${network} blackhole { bgp_path.prepend(80000); }; }
protocol bgp p {
  local ${self.ipv4} as ${asn}; neighbor ${other.ipv4} as ${otherAs}; connect delay time 1; connect retry time 1;
  ${statement}
  ipv4 { import all; export all; };
}
`;
}

/** What `show protocols all` says that the peer can do. */
function offered(shown: string): string[] {
  const block = /Neighbor capabilities\n((?: {6}.*\n)*)/.exec(shown)?.[1] ?? '';
  return block.split('\n').map((line) => line.trim().replace(/:.*/, ''));
}

const CASES = [
  // The other end sees AS_TRANS in the OPEN (RFC 6793 §4.2.3), and the whole number in the path.
  { statement: 'enable as4 off;', shown: AS.trans, missing: ['4-octet AS numbers'] },
  { statement: 'capabilities off;', shown: AS.trans, missing: ['Multiprotocol', 'Route refresh'] },
  { statement: 'enable route refresh off;', shown: AS.one, missing: ['Route refresh', 'Enhanced refresh'] },
];

describe.each(CASES)('$statement', async ({ statement, shown, missing }) => {
  const { skip } = await labRequirement(['godwit', 'bird']);

  test.skipIf(skip)('is to BIRD what it is of BIRD', async () => {
    const seenOf = async (kind: BirdKind) => {
      const lab = await createLab(`cap${kind[0]}`, ['one', 'two']);
      const [one, two] = [lab.node(0), lab.node(1)];
      const first = { self: one, other: two, asn: AS.one, otherAs: AS.two, network: OURS };
      const second = { self: two, other: one, asn: AS.two, otherAs: shown, network: THEIRS };
      const a = await (await lab.bird(kind, one, config(first, statement))).ready();
      const b = await (await lab.bird('bird2', two, config(second))).ready();
      await Promise.all([a.established('p'), b.established('p')]);
      const pathOf = (bird: typeof a, prefix: string) =>
        waitFor(`${prefix} comes`, async () =>
          /BGP.as_path: (.*)/.exec(await bird.ask(`show route for ${prefix} protocol p all`))?.[1]?.trim(),
        );
      return {
        offered: offered(await b.ask('show protocols all p')),
        sent: await pathOf(b, OURS),
        received: await pathOf(a, THEIRS),
      };
    };
    const ours = await seenOf('godwit');
    for (const name of missing) expect(ours.offered).not.toContain(name);
    expect(ours).toMatchObject({ sent: `${AS.one} 80000`, received: `${AS.two} 80000` });
    const theirs = await seenOf('bird2');
    expect({ ...theirs, offered: [] }).toEqual({ ...ours, offered: [] });
    for (const name of missing) expect(theirs.offered).not.toContain(name);
  });
});
