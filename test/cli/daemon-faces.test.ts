// What of a changed configuration the faces of a running daemon take over, and what waits.

import { describe, expect, test } from 'vitest';
import { Faces } from '../../src/cli/daemon-faces.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/model.ts';
import { type Logger, silentLogger } from '../../src/lib/log.ts';
import { FakeSpeaker } from '../support/fake-speaker.ts';

function config(rest: string): Config {
  const text = `router: { asn: 64512, id: 10.99.0.1 }\n${rest}\n`;
  const result = parseConfig(text, '/etc/godwit.yaml', {}, () => '', { hostname: 'h', addresses: [] });
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.config;
}

async function started(first: Config) {
  const events: string[] = [];
  const note = (level: string) => (_fields: object, message: string) =>
    void events.push(`${level}: ${message}`);
  const logger: Logger = { ...silentLogger, warn: note('warn'), error: note('error') };
  const face = (name: string) => ({
    stop: async () => {},
    useAccess: ({ allow }: { readonly allow?: readonly string[] | undefined }) => {
      if (allow?.includes('stranger')) throw new Error('There is no user stranger');
      events.push(`${name} lets in ${String(allow)}`);
    },
    useTls: ({ cert }: { readonly cert: string }) => void events.push(`${name} shows ${cert}`),
  });
  const faces = new Faces(first, logger);
  await faces.start(
    {
      startBird: async () => face('bird'),
      startControl: async () => face('control'),
      startTcp: async () => face('tcp'),
      startHttp: async ({ port }) => ({ port, stop: async () => {} }),
    },
    new FakeSpeaker(),
    () => {},
    (work) => work(),
  );
  return { faces, events };
}

const control = (allow: string, cert: string, more = ''): string =>
  `control: { ${more} allow: [${allow}], bird: { socket: /b, allow: [${allow}] }, tcp: { listen: "[::1]:1", tls: { ca: /ca, cert: ${cert}, privateKey: /k } } }`;

describe('a changed configuration', () => {
  test('says at once who may come in, and with which certificates', async () => {
    const { faces, events } = await started(config(control('root', '/one')));
    faces.useConfig(config(control('admin', '/two')));
    expect(events).toEqual(['bird lets in admin', 'control lets in admin', 'tcp shows /two']);
  });

  test('keeps the old rules where the new ones are wrong', async () => {
    const { faces, events } = await started(config(control('root', '/one')));
    faces.useConfig(config(control('stranger', '/one')));
    expect(events).toEqual([
      'error: control: the old settings stay: There is no user stranger',
      'error: control: the old settings stay: There is no user stranger',
      'tcp shows /one',
    ]);
  });

  test.each([
    ['control', control('root', '/one', 'socket: /other,')],
    ['control', control('root', '/one', 'mode: "0600",')],
    ['control', 'control: { allow: [root] }'],
    ['http', `${control('root', '/one')}\nhttp: "127.0.0.1:1"`],
    ['process', `${control('root', '/one')}\nprocess: { user: nobody }`],
  ])('waits with what is %s', async (part, rest) => {
    const { faces, events } = await started(config(control('root', '/one')));
    faces.useConfig(config(rest));
    expect(events).toContain(`warn: the change of ${part} takes effect at the next start`);
  });

  test('stops the last face first', async () => {
    const { faces } = await started(config(control('root', '/one')));
    expect(faces.running).toHaveLength(3);
  });
});
