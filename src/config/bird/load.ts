// The door of this front-end: a file of BIRD's language -> a Config, or everything that is wrong with it at once.

import { readdirSync } from 'node:fs';
import type { HostFacts } from '../build.ts';
import { unreadable } from '../file-issue.ts';
import type { ConfigIssue } from '../issues.ts';
import type { Config } from '../model.ts';
import { textFiles } from '../text-files.ts';
import type { BirdConfig } from './config.ts';
import type { BirdFiles } from './include.ts';
import { toIssues } from './issues.ts';
import { type ParseOptions, parseBird } from './parse.ts';
import { toModel } from './to-model.ts';

export type BirdLoadResult =
  | {
      readonly ok: true;
      readonly bird: BirdConfig;
      readonly config: Config;
      readonly warnings: readonly ConfigIssue[];
    }
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] };

/** The real file system. */
export const FILE_SYSTEM: BirdFiles = {
  read: textFiles(),
  list: (directory) => readdirSync(directory),
};

/** As loadBird, for the file at `path`; one that cannot be read is an error in the same form. */
export function loadBirdFile(
  path: string,
  files: BirdFiles,
  host: HostFacts,
  options: ParseOptions = {},
): BirdLoadResult {
  let text: string;
  try {
    text = files.read(path);
  } catch (error) {
    return { ok: false, issues: [unreadable(path, error)] };
  }
  return loadBird(text, path, files, host, options);
}

/** Reads, checks and maps `text`, which is the file `name`. Never throws for what the user did wrong. */
export function loadBird(
  text: string,
  name: string,
  files: BirdFiles,
  host: HostFacts,
  options: ParseOptions = {},
): BirdLoadResult {
  const { config: bird, diagnostics, program, masks, tests } = parseBird(text, name, files, options);
  const config = diagnostics.hasErrors ? undefined : { ...toModel(bird, program, host, diagnostics), tests };
  const issues = toIssues(diagnostics, masks, bird.files);
  if (config === undefined || diagnostics.hasErrors) return { ok: false, issues };
  return { ok: true, bird, config, warnings: issues };
}
