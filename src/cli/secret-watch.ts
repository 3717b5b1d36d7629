// Looks at the files that hold passwords, keys and certificates, and says when one has changed, as Kubernetes changes
// mounted Secrets: by another target of a link. What is in them is not read here.

import { stat } from 'node:fs/promises';
import type { Config } from '../config/model.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { SecretWatch } from './daemon.ts';

const SECOND = 1000;

export interface SecretWatchOptions {
  readonly config: Config;
  /** Read anew along with the secrets: where it has changed by then, nobody has asked for that yet. */
  readonly configFile: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly changed: (files: readonly string[]) => void;
  /** What tells one state of a file from another. */
  readonly look?: (path: string) => Promise<string>;
}

export function watchSecrets(options: SecretWatchOptions): SecretWatch {
  const { clock, logger, changed, configFile, look = lookAt } = options;
  let config = options.config;
  let known: Promise<ReadonlyMap<string, string>>;
  let timer: Timer | undefined;
  let stopped = false;

  const see = async (): Promise<ReadonlyMap<string, string>> => {
    const files = [...new Set([configFile, ...filesOf(config)])];
    return new Map(await Promise.all(files.map(async (file) => [file, await look(file)] as const)));
  };
  const compare = async (): Promise<void> => {
    const looked = config;
    const before = await known;
    const now = await see();
    // Another configuration has come: its files are looked at in their own time.
    if (stopped || config !== looked) return;
    known = Promise.resolve(now);
    const files = [...now].filter(([file, state]) => file !== configFile && before.get(file) !== state);
    if (files.length > 0) {
      const names = files.map(([file]) => file);
      if (before.get(configFile) === now.get(configFile)) changed(names);
      else
        logger.warn(
          { files: names },
          'secrets have changed, and so has the configuration: reload when it is ready',
        );
    }
    wait();
  };
  const wait = (): void => {
    const every = config.process?.watchFiles ?? 0;
    if (stopped || every === 0 || filesOf(config).length === 0) return;
    timer = clock.setTimer(every * SECOND, () => void compare());
  };
  known = see();
  wait();
  return {
    use(next) {
      timer?.cancel();
      config = next;
      known = see();
      wait();
    },
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}

function filesOf({ secretFiles = [], control }: Config): readonly string[] {
  const { tls } = control.tcp ?? {};
  return tls === undefined ? secretFiles : [...secretFiles, tls.ca, tls.cert, tls.key];
}

/** The file behind all links; one that is gone is another state, too. */
async function lookAt(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeMs } = await stat(path);
    return `${dev} ${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  }
}
