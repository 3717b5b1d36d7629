// How the daemon is reached and whose process it is: what becomes of what is written, and what nobody opens to a
// network by oversight.

import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/model.ts';
import { parse } from './support.ts';

const yaml = (rest: string): string => `router: { asn: 64512, id: 10.99.0.1 }\n${rest}\n`;

function built(rest: string): Config {
  const result = parse(yaml(rest));
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.config;
}

function complaints(rest: string): string[] {
  const result = parse(yaml(rest));
  return result.ok ? [] : result.issues.map(({ message }) => message);
}

const TLS = 'tls: { ca: ca.pem, cert: /etc/c.pem, privateKey: k.pem }';

describe('control', () => {
  it('names users by name and number', () => {
    const { control } = built(
      'control: { mode: "0600", owner: 0, group: staff, allow: [root, 1000, "@27", "@netops"], allowChanges: [] }',
    );
    expect(control).toEqual({
      socket: '/run/godwit/godwit.sock',
      mode: 0o600,
      owner: '0',
      group: 'staff',
      allow: ['root', '1000', '@27', '@netops'],
      allowChanges: [],
      bird: [],
    });
  });

  it("has the same for BIRD's socket", () => {
    const { control } = built('control: { bird: { socket: /run/b.ctl, allow: ["@1"], restricted: true } }');
    expect(control.bird).toEqual([
      { socket: '/run/b.ctl', mode: 0o660, style: 'auto', allow: ['@1'], restricted: true },
    ]);
  });

  it.each(['allow: ["a b"]', 'allow: ["@"]', 'owner: "@x"', 'owner: -1', 'group: ""', 'allow: root'])(
    'refuses %s',
    (text) => {
      expect(complaints(`control: { ${text} }`)).toHaveLength(1);
    },
  );

  it('over TCP, with files seen from the configuration', () => {
    expect(built(`control: { tcp: { listen: "192.0.2.1:50051", ${TLS} } }`).control.tcp).toEqual({
      address: '192.0.2.1',
      port: 50051,
      tls: {
        ca: expect.stringMatching(/\/ca\.pem$/),
        cert: '/etc/c.pem',
        key: expect.stringMatching(/\/k\.pem$/),
      },
      restricted: false,
    });
  });

  it.each(['127.0.0.1:1', '127.9.9.9:1', '[::1]:1'])('in the clear on %s', (listen) => {
    expect(built(`control: { tcp: { listen: "${listen}" } }`).control.tcp?.tls).toBeUndefined();
  });

  it.each(['0.0.0.0:1', '[::]:1', '192.0.2.1:1', '[2001:db8::1]:1', '[::2]:1'])(
    'not in the clear on %s, unless that is said',
    (listen) => {
      expect(complaints(`control: { tcp: { listen: "${listen}" } }`)).toEqual([
        expect.stringContaining('is no loopback address, and without tls everybody who reaches it commands'),
      ]);
      expect(complaints(`control: { tcp: { listen: "${listen}", insecure: false } }`)).toHaveLength(1);
      expect(complaints(`control: { tcp: { listen: "${listen}", insecure: true } }`)).toEqual([]);
    },
  );

  it.each([
    [`listen: "192.0.2.1:1", insecure: true, ${TLS}`, 'insecure contradicts tls'],
    ['listen: "192.0.2.1:1", tls: { ca: a, cert: b }', 'privateKey is missing'],
    ['listen: "192.0.2.1", insecure: true', 'the port is missing'],
  ])('refuses %s', (text, message) => {
    expect(complaints(`control: { tcp: { ${text} } }`).join('\n')).toContain(message);
  });
});

describe('process', () => {
  it('has defaults, and says who', () => {
    expect(built('').process).toEqual({ user: undefined, group: undefined, watchFiles: 10 });
    expect(built('process: { user: 65534, group: nogroup, watchFiles: 0 }').process).toEqual({
      user: '65534',
      group: 'nogroup',
      watchFiles: 0,
    });
    expect(complaints('process: { user: "a:b" }')).toHaveLength(1);
  });
});

describe('files of secrets', () => {
  it('are known, once each', () => {
    const peers = [1, 2].map((i) => `{ address: 10.1.1.${i}, asn: 64512, password: { file: /k } }`);
    const result = parse(yaml(`peers: [${peers.join(', ')}]`), { files: { '/k': 'x\n' } });
    expect(result.ok && result.config.secretFiles).toEqual(['/k']);
    expect(built('').secretFiles).toBeUndefined();
  });
});
