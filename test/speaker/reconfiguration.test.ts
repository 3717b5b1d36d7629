// Ways back from a new configuration: undo, a timeout that nobody confirms, peers that are lost.

import { describe, expect, it } from 'vitest';
import type { LoadResult } from '../../src/config/load.ts';
import type { Config } from '../../src/config/model.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { ConfigurationError } from '../../src/speaker/api.ts';
import { Reconfiguration } from '../../src/speaker/reconfiguration.ts';
import { type Rig, type RigPeer, rig, rigInput } from './rig.ts';

const A = '10.0.0.2';
const B = '10.0.0.3';
const AROUND: Record<string, RigPeer> = { [A]: { as: 65002 }, [B]: { as: 65003 } };
const NETWORK = '192.0.2.0/24';

function input(more: Partial<ConfigInput> = {}): ConfigInput {
  return rigInput(AROUND, more);
}

function networks({ speaker }: Rig): string[] {
  return [...speaker.speaker.networks.values()].map(({ prefix }) => prefix);
}

/** The file announces a network; what is in force does not. */
async function waiting(): Promise<Rig> {
  const set = await rig(AROUND);
  await set.speaker.reload(input({ networks: [NETWORK] }));
  expect(networks(set)).toEqual([NETWORK]);
  expect(await undo(set)).toBe(true);
  expect(networks(set)).toEqual([]);
  return set;
}

async function undo(set: Rig): Promise<boolean> {
  const done = set.speaker.api.bird.undo();
  await set.lab.settle();
  return done;
}

async function configure(
  set: Rig,
  options: { timeout?: number; soft?: boolean; file?: string },
): Promise<void> {
  const done = set.speaker.api.bird.configure(options);
  await set.lab.settle();
  await done;
}

describe('undo', () => {
  it('goes back once, and keeps the sessions', async () => {
    const set = await waiting();
    const { startedAt, reconfiguredAt } = set.speaker.api.status();
    expect(reconfiguredAt).toBeGreaterThan(startedAt);
    expect(await undo(set)).toBe(false);
    expect(set.speaker.states()).toEqual([`${A} Established`, `${B} Established`]);
    expect(set.speaker.api.peers().map(({ establishedCount }) => establishedCount)).toEqual([1, 1]);
  });
});

describe('whoever else reads the configuration', () => {
  it('hears what is in force: not what was refused, and what is back', async () => {
    const { speaker, lab } = await rig(AROUND);
    const { written } = speaker.speaker;
    const http = { address: '127.0.0.1', port: 8179, maxPeerSeries: 1 };
    const results: LoadResult[] = [
      { ok: true, config: { ...written, http }, warnings: [] },
      { ok: false, issues: [] },
    ];
    const heard: (Config['http'] | undefined)[] = [];
    const reconfiguration = new Reconfiguration(
      speaker.speaker,
      () => results.shift()!,
      (config) => heard.push(config.http),
    );
    const outcomes = Promise.allSettled([
      reconfiguration.reload(),
      reconfiguration.reload(),
      reconfiguration.undo(),
    ]);
    await lab.settle();
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(heard).toEqual([http, undefined]);
  });
});

describe('a timeout', () => {
  it('undoes what nobody confirms', async () => {
    const set = await waiting();
    await configure(set, { timeout: 5 });
    expect(networks(set)).toEqual([NETWORK]);
    await set.lab.run(2000);
    expect(set.speaker.api.bird.configuration().undoIn).toBeCloseTo(3);
    await set.lab.run(2900);
    expect(networks(set)).toEqual([NETWORK]);
    await set.lab.run(200);
    expect(networks(set)).toEqual([]);
    expect(set.speaker.api.bird.configuration().undoIn).toBeUndefined();
    expect(set.speaker.log).toContain('warn the new configuration is undone: nobody confirmed it within 5 s');
    expect(set.speaker.api.bird.confirm()).toBe(false);
  });

  it('ends with a confirmation, or with another configuration', async () => {
    const set = await waiting();
    await configure(set, { timeout: 5 });
    expect(set.speaker.api.bird.confirm()).toBe(true);
    expect(set.speaker.api.bird.confirm()).toBe(false);
    await set.lab.run(10_000);
    expect(networks(set)).toEqual([NETWORK]);
    await configure(set, { timeout: 5 });
    await configure(set, {});
    await set.lab.run(10_000);
    expect(networks(set)).toEqual([NETWORK]);
  });

  it('that ends while another configuration is on its way undoes neither', async () => {
    const set = await waiting();
    await configure(set, { timeout: 5 });
    await set.lab.run(4900);
    // The kernel is opened meanwhile.
    let open = (): void => {};
    const opened = new Promise<undefined>((resolve) => {
      open = () => resolve(undefined);
    });
    Object.assign(set.speaker.speaker.parts, { openKernel: () => opened });
    const done = set.speaker.reload(input({ networks: [NETWORK], kernel: { install: true } }));
    await set.lab.run(1000);
    open();
    await set.lab.settle();
    await done;
    expect(networks(set)).toEqual([NETWORK]);
    expect(set.speaker.speaker.config.kernel.install).toBe(true);
  });

  it('does not wait when a session is lost', async () => {
    const set = await waiting();
    await configure(set, { timeout: 300 });
    set.peer(A).drop();
    await set.lab.run(100);
    expect(networks(set)).toEqual([]);
    expect(set.speaker.log).toContain(`warn the new configuration is undone: the session with ${A} was lost`);
    expect(set.speaker.api.bird.configuration().undoIn).toBeUndefined();
  });

  it('waits for sessions that the operator ends, and for those that were not there', async () => {
    const set = await waiting();
    set.peer(B).drop();
    await set.lab.settle();
    await configure(set, { timeout: 300 });
    set.speaker.api.peerReset(A, undefined);
    await set.lab.run(100);
    expect(networks(set)).toEqual([NETWORK]);
    expect(set.speaker.api.bird.configuration().undoIn).toBeGreaterThan(299);
  });
});

describe('a bad configuration', () => {
  it('is refused with every complaint and its place', async () => {
    const set = await rig(AROUND);
    const failure = await set.speaker
      .reload('router: { asn: 65000, id: 10.0.0.1 }\nnonsense: 1\nmore: 2\n')
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConfigurationError);
    const { complaints } = failure as ConfigurationError;
    expect(complaints.map(({ file, line, column }) => `${file} ${line} ${column}`)).toEqual([
      'godwit.yaml 2 1',
      'godwit.yaml 3 1',
    ]);
    await expect(set.speaker.api.bird.checkConfiguration(undefined)).rejects.toBeInstanceOf(
      ConfigurationError,
    );
    expect(set.speaker.states()).toEqual([`${A} Established`, `${B} Established`]);
  });
});
