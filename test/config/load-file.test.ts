// Whichever language a file is written in, one door opens it, and each call reads it and what it includes anew.

import { describe, expect, it } from 'vitest';
import { type FileOptions, openConfig } from '../../src/config/load-file.ts';
import { HostInterfacesError } from '../../src/lib/host-interfaces.ts';

const YAML = 'router: { asn: 65000, id: 192.0.2.1 }\n';
const BIRD1 = 'router id 192.0.2.1;\ninclude "peers.conf";\nprotocol kernel { export all; }\n';
const BIRD2 = 'router id 192.0.2.1;\nprotocol device { }\nprotocol kernel { ipv4 { export all; }; }\n';
const peer = (address: string) =>
  `protocol bgp b1 { local as 65000; neighbor ${address} as 65001; import all; }\n`;

function options(texts: Record<string, string>, more: Partial<FileOptions> = {}): FileOptions {
  const read = (path: string): string => {
    const text = texts[path];
    if (text === undefined) throw Object.assign(new Error('missing'), { code: 'ENOENT' });
    return text;
  };
  const host = () => ({ hostname: 'host', addresses: ['192.0.2.1'] });
  return { env: {}, host, files: { read, list: () => Object.keys(texts) }, ...more };
}

describe('openConfig', () => {
  it('reads each language as what it is', async () => {
    const texts = {
      '/c/a.yaml': YAML,
      '/c/a.conf': BIRD2,
      '/c/b.conf': BIRD1,
      '/c/peers.conf': peer('10.0.0.2'),
    };
    const [yaml, bird2, bird1] = await Promise.all(
      ['/c/a.yaml', '/c/a.conf', '/c/b.conf'].map(async (path) => (await openConfig(path, options(texts)))()),
    );
    expect(yaml).toMatchObject({ ok: true, config: { router: { asn: 65000 } } });
    expect(yaml?.ok && yaml.config.bird).toBe(undefined);
    expect(bird2?.ok && bird2.config.bird?.dialect).toBe('2.x');
    expect(bird1?.ok && bird1.config.bird?.dialect).toBe('1.6');
  });

  it('follows includes at every call', async () => {
    const texts: Record<string, string> = { '/c/b.conf': BIRD1, '/c/peers.conf': peer('10.0.0.2') };
    const load = await openConfig('/c/b.conf', options(texts));
    const addresses = () => {
      const result = load();
      return result.ok ? result.config.peers.map(({ address }) => address) : result.issues;
    };
    expect(addresses()).toEqual(['10.0.0.2']);
    texts['/c/peers.conf'] = peer('10.0.0.3');
    expect(addresses()).toEqual(['10.0.0.3']);
    delete texts['/c/peers.conf'];
    expect(load()).toMatchObject({
      ok: false,
      issues: [
        { file: '/c/b.conf', line: 2, message: '/c/peers.conf cannot be read: there is no such file' },
      ],
    });
  });

  it('takes the language, the dialect and the family that are given', async () => {
    const texts = { '/c/x': 'protocol device { }\nrouter id 192.0.2.1;\n' };
    const forced = await openConfig('/c/x', options(texts, { dialect: '1.6', family: 'ipv6' }));
    expect(forced()).toMatchObject({ ok: true, config: { bird: { dialect: '1.6', family: 'ipv6' } } });
    const yaml = await openConfig('/c/x', options(texts, { language: 'yaml' }));
    expect(yaml()).toMatchObject({ ok: false });
  });

  it.each(['yaml', 'bird'] as const)(
    'says of a file that is not there what is wrong with it (%s)',
    async (language) => {
      const load = await openConfig('/c/none', options({}, { language }));
      expect(load()).toEqual({
        ok: false,
        issues: [
          {
            severity: 'error',
            file: '/c/none',
            line: 0,
            column: 0,
            path: '',
            message: 'the configuration cannot be read: there is no such file',
            hint: undefined,
            excerpt: undefined,
          },
        ],
      });
    },
  );

  it('refuses to read while the host does not tell its addresses', async () => {
    const host = () => {
      throw new HostInterfacesError('EMFILE', undefined);
    };
    const load = await openConfig('/c/a.yaml', options({ '/c/a.yaml': YAML }, { host }));
    const result = load();
    expect(result.ok ? [] : result.issues.map(({ message }) => message)).toEqual([
      'the configuration cannot be read: too many files are open; raise the limit (ulimit -n, LimitNOFILE= of a systemd unit)',
    ]);
  });
});
