// A configuration file in whichever language it is written -> a loader of that file, to be called again for every
// reload. Only the front-end of that language is imported: a daemon that reads BIRD's language never loads YAML's. Files
// that are included are read anew each time. A file keeps its language while a loader lives.

import { HostInterfacesError } from '../lib/host-interfaces.ts';
import type { BirdFiles } from './bird/include.ts';
import type { ParseOptions } from './bird/parse.ts';
import type { HostFacts } from './build.ts';
import { unreadable } from './file-issue.ts';
import { FilterEnvironment } from './filter-environment.ts';
import type { LoadResult } from './load.ts';
import type { Environment } from './nodes.ts';
import type { ReadFile } from './secrets.ts';
import { textFiles } from './text-files.ts';

const LANGUAGES = ['yaml', 'bird'] as const;
export type Language = (typeof LANGUAGES)[number];

export interface FileOptions {
  /** Detected from the text unless given. */
  readonly language?: Language;
  readonly env: Environment;
  /** Asked anew for each reading. May throw HostInterfacesError. */
  readonly host: () => HostFacts;
  /** The generation of BIRD's language and the family of a 1.6 daemon; detected unless given. */
  readonly dialect?: ParseOptions['dialect'];
  readonly family?: ParseOptions['family'];
  /** What filters run with; one of this loader's own unless given. */
  readonly filters?: FilterEnvironment;
  /** The file system's, unless given. */
  readonly files?: BirdFiles & { readonly read: ReadFile };
}

/**
 * Reads the file, checks it and makes the model of it. Never throws for what the user did wrong. `other` is read in its
 * place, in the same language.
 */
export type Loader = (other?: string) => LoadResult;

/** The loader of `path`. A file that cannot be read now says so when the loader is called. */
export async function openConfig(path: string, options: FileOptions): Promise<Loader> {
  const { env, host, dialect, family, filters = new FilterEnvironment() } = options;
  /** Reads with what the host is like now. */
  const load = (file: string, readIt: (facts: HostFacts) => LoadResult): LoadResult => {
    try {
      const result = readIt(host());
      return result.ok ? { ...result, config: { ...result.config, filters } } : result;
    } catch (error) {
      if (!(error instanceof HostInterfacesError)) throw error;
      return { ok: false, issues: [unreadable(file, error)] };
    }
  };
  const read = options.files?.read ?? textFiles();
  const language = options.language ?? (await languageOf(path, read));
  if (language === 'yaml') {
    const { loadConfig } = await import('./load.ts');
    return (other = path) =>
      load(other, (facts) => loadConfig(other, env, read, { ...facts, policy: filters }));
  }
  const { FILE_SYSTEM, loadBirdFile } = await import('./bird/load.ts');
  const files = options.files ?? { ...FILE_SYSTEM, read };
  return (other = path) =>
    load(other, (facts) =>
      loadBirdFile(other, files, facts, {
        ...(dialect !== undefined && { dialect }),
        ...(family !== undefined && { family }),
        policy: filters,
      }),
    );
}

async function languageOf(path: string, read: ReadFile): Promise<Language> {
  let text: string;
  try {
    text = read(path);
  } catch {
    // The native front-end says why, and what its own files are.
    return 'yaml';
  }
  const { looksLikeBird } = await import('./bird/dialect.ts');
  return looksLikeBird(text) ? 'bird' : 'yaml';
}
