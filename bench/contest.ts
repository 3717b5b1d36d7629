// One contestant at one work, once: a fresh pair of namespaces, the daemon in one, the load in the other. How the work
// goes is course.ts's.

import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contestant } from './contestants.ts';
import { COURSES } from './course.ts';
import type { CleanUp } from './lab/clean-up.ts';
import {
  connectPair,
  createNamespace,
  makerIsGone,
  type Namespace,
  removeAbandoned,
} from './lab/namespace.ts';
import type { Outcome } from './outcome.ts';
import { DAEMON_ADDRESS, NETWORK_BITS, type WorkSetup } from './work-setup.ts';
import type { Work } from './works.ts';

const PREFIX = 'gw-bench-';

/**
 * Runs a work; `profileDirectory`: for profiles of a contestant that can make them, there once this is done. Throws where the daemon does not start, a session goes down or the load fails.
 */
export async function contest(
  work: Work,
  setup: WorkSetup,
  { name, kind }: Pick<Contestant, 'name' | 'kind'>,
  cleanUp: CleanUp,
  profileDirectory?: string,
): Promise<Outcome> {
  await removeLeftovers();
  try {
    const directory = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
    await cleanUp.add(() => rm(directory, { recursive: true, force: true }));
    await chmod(directory, 0o755); // for daemons with a user of their own
    const target = await makeNamespace('daemon', cleanUp);
    const source = await makeNamespace('load', cleanUp);
    await connectPair(
      { namespace: target, device: 'veth0', addresses: [`${DAEMON_ADDRESS}/${NETWORK_BITS}`] },
      { namespace: source, device: 'veth0', addresses: setup.addresses },
    );
    const peers = setup.plan.sessions.map(({ localAddress }) => localAddress);
    await target.addNeighbors('veth0', await source.macOf('veth0'), peers);
    const home = join(directory, 'daemon');
    await mkdir(home);
    const start = async () => {
      const daemon = await kind.start({
        namespace: target,
        directory: home,
        spec: setup.spec,
        ...(profileDirectory === undefined ? {} : { profileDirectory }),
      });
      await cleanUp.add(() => daemon.stop());
      return daemon;
    };
    const course = COURSES[work.course ?? 'phases'];
    return await course({ work, setup, start, contestant: name, source, directory, cleanUp });
  } finally {
    await cleanUp.run();
  }
}

async function makeNamespace(role: string, cleanUp: CleanUp): Promise<Namespace> {
  const namespace = await createNamespace(`${PREFIX}${process.pid}-${role}`);
  await cleanUp.add(() => namespace.remove());
  return namespace;
}

/** Of runs that were killed before they could clean up. */
async function removeLeftovers(): Promise<void> {
  await removeAbandoned(PREFIX);
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX) || !makerIsGone(name.slice(PREFIX.length))) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}
