// One way for the tests to read a configuration: a fixed host, a fixed environment, files from a table.

import type { HostFacts } from '../../src/config/build.ts';
import { type ConfigIssue, formatIssues } from '../../src/config/issues.ts';
import { type LoadResult, parseConfig } from '../../src/config/load.ts';
import type { Config, LongLivedRestartConfig, PeerConfig, TimerConfig } from '../../src/config/model.ts';

export const HOST: HostFacts = {
  hostname: 'host1',
  addresses: ['127.0.0.1', '10.0.0.5', '10.0.0.9', '::1'],
  links: new Map([
    ['127.0.0.1', 'lo'],
    ['10.0.0.9', 'eth1'],
    ['10.0.0.5', 'eth0'],
  ]),
};

/** What a peer's timers are unless configured. */
export const TIMERS: TimerConfig = {
  hold: 90,
  keepalive: 30,
  minHold: 0,
  minKeepalive: 0,
  openHold: 240,
  connectRetry: 120,
  connectDelay: 5,
  delayOpen: 0,
  errorWaitMin: 60,
  errorWaitMax: 300,
  errorForget: 300,
  sendHold: 480,
};

/** And its long-lived restart. */
export const LONG_LIVED: LongLivedRestartConfig = {
  mode: 'helper',
  staleTime: { 'ipv4-unicast': 3600, 'ipv6-unicast': 3600 },
  minStaleTime: { 'ipv4-unicast': 0, 'ipv6-unicast': 0 },
  maxStaleTime: { 'ipv4-unicast': 0xff_ffff, 'ipv6-unicast': 0xff_ffff },
  partialDeployment: false,
};

export interface Inputs {
  env?: Record<string, string>;
  files?: Record<string, string>;
  host?: HostFacts;
}

export function fileReader(files: Record<string, string>): (path: string) => string {
  return (path) => {
    const content = Object.hasOwn(files, path) ? files[path] : undefined;
    if (content === undefined) throw Object.assign(new Error('missing'), { code: 'ENOENT' });
    return content;
  };
}

export function parse(text: string, inputs: Inputs = {}): LoadResult {
  return parseConfig(
    text,
    '/etc/godwit.yaml',
    inputs.env ?? {},
    fileReader(inputs.files ?? {}),
    inputs.host ?? HOST,
  );
}

export function config(text: string, inputs: Inputs = {}): Config {
  const result = parse(text, inputs);
  if (!result.ok) throw new Error(formatIssues(result.issues, { color: false }));
  return result.config;
}

export function issuesOf(text: string, inputs: Inputs = {}): readonly ConfigIssue[] {
  const result = parse(text, inputs);
  return result.ok ? result.warnings : result.issues;
}

/** A configuration with this one peer, given by the keys of its mapping. */
export function peer(keys: string, router = 'asn: 64512, id: 10.99.0.1'): PeerConfig {
  const [first] = config(`router: { ${router} }\npeers:\n  - { ${keys} }\n`).peers;
  if (first === undefined) throw new Error('no peer');
  return first;
}
