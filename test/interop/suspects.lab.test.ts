// Sessions that cannot come up because the two kernels do not like each other's segments: godwit says which of the two sides'
// keys or hop counts to look at, and comes up when that is mended.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startGodwit } from '../../bench/daemons/godwit.ts';
import { waitFor } from '../../bench/lab/command.ts';
import type { JournalEntry } from '../../src/speaker/api/journal.ts';
import type { PeerView } from '../../src/speaker/api.ts';
import { labOfEachTest, type Node, peerTo } from '../support/lab/lab.ts';
import { labRequirement } from '../support/lab/requirement.ts';

const AS = { own: 65000, key: 65001, unsigned: 65002, signed: 65003, hops: 65004 } as const;
const OWN_KEY = 'what-this-side-has';
const OTHER_KEY = 'what-the-other-has';
const CONVERGE_MS = 60_000;
/** Takes connections like any program, with the system's TTL, and says nothing. */
const FAR = "require('node:net').createServer((socket) => socket.on('error', () => {})).listen(179)";

const createLab = labOfEachTest();

/** `godwit.yaml` of the node in the middle; `mended`: as its peers are. */
function configuration(own: Node, nodes: readonly Node[], socket: string, mended: boolean): string {
  const [key, unsigned, signed, hops] = nodes as [Node, Node, Node, Node];
  const peer = (node: Node, name: keyof typeof AS, more: object) => ({
    name,
    address: node.ipv4,
    asn: AS[name],
    import: 'accept',
    export: 'accept',
    connectRetryTime: 3,
    connectDelayTime: 0,
    ...more,
  });
  return JSON.stringify({
    router: { asn: AS.own, id: own.ipv4 },
    kernel: { install: false },
    control: { socket },
    peers: [
      peer(key, 'key', { password: mended ? OTHER_KEY : OWN_KEY }),
      peer(unsigned, 'unsigned', mended ? {} : { password: OWN_KEY }),
      peer(signed, 'signed', mended ? { password: OTHER_KEY } : {}),
      peer(hops, 'hops', mended ? {} : { ttlSecurity: 1 }),
    ],
  });
}

describe('a peer whose segments the kernel drops', async () => {
  const { skip } = await labRequirement(['godwit', 'bird', 'frr']);

  test.skipIf(skip)(
    'is one with another TCP-MD5 key, or none, or too far away: the cause says so',
    async () => {
      const lab = await createLab('suspct', ['own', 'key', 'unsign', 'signed', 'hops']);
      const own = lab.node(0);
      const others = lab.nodes.slice(1);
      const socket = join(own.directory, 'godwit.sock');
      const config = join(own.directory, 'godwit.yaml');
      await writeFile(config, configuration(own, others, socket, false));
      const names = ['key', 'unsigned', 'signed', 'hops'] as const;
      const kinds = { key: 'bird', unsigned: 'frr', signed: 'bird' } as const;
      for (const [i, name] of (['key', 'unsigned', 'signed'] as const).entries()) {
        const node = others[i]!;
        await lab.start(kinds[name], node, {
          asn: AS[name],
          routerId: node.ipv4,
          peers: [peerTo(node, own, AS.own, 'ipv4', name === 'unsigned' ? {} : { password: OTHER_KEY })],
          networks: [],
          kernel: false,
        });
      }
      // Daemons that are there answer with a TTL of 255, and only what they say next is dropped; this one is far away.
      lab.run('far', others[3]!, [process.execPath, '-e', FAR]);
      const godwit = lab.adopt(
        await startGodwit({ namespace: own.namespace, directory: own.directory }, config, socket),
      );
      const peers = () => godwit.list<PeerView>('show', 'peers');
      const expected = { key: 'md5', unsigned: 'md5', signed: 'md5', hops: 'ttl' } as const;
      await waitFor(
        'every cause is found',
        async () => {
          const found = await peers();
          const wrong = found.filter(
            ({ name, lastErrorCode }) =>
              lastErrorCode !== `${expected[name as keyof typeof expected]}-suspected`,
          );
          if (wrong.length === 0) return found.length > 0;
          throw new Error(
            wrong.map(({ name, state, lastError }) => `${name} ${state}: ${lastError}`).join('\n'),
          );
        },
        CONVERGE_MS,
        500,
      );
      const found = new Map((await peers()).map((peer) => [peer.name, peer]));
      for (const name of names) {
        expect(found.get(name)!.lastError).toMatch(
          /the kernel dropped (a segment|\d+ segments) for (its|their)/,
        );
      }
      expect(found.get('key')!.lastErrorAdvice).toContain('compare the password of both sides');
      expect(found.get('hops')!.lastErrorAdvice).toContain('count the hops');
      const events = await godwit.list<JournalEntry>('events');
      const codes = new Set(
        events.flatMap(({ peer, code }) => (peer === undefined ? [] : [`${peer} ${code}`])),
      );
      for (const name of names) expect(codes).toContain(`${name} ${expected[name]}-suspected`);
      expect(JSON.stringify([...found.values(), ...events])).not.toContain(OWN_KEY);

      await writeFile(config, configuration(own, others, socket, true));
      await godwit.cli('reload');
      await waitFor(
        'all sessions come up, but that of the one who says nothing',
        async () =>
          (await peers()).every(
            ({ name, state }) => state === (name === 'hops' ? 'OpenSent' : 'Established'),
          ),
        CONVERGE_MS,
        500,
      );
    },
    3 * CONVERGE_MS,
  );
});
