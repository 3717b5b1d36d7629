// The door of the native front-end: a YAML file -> a Config, or everything that is wrong with it at once. Syntax,
// schema, then what holds between the parts; nothing here touches the disk, the environment or the host by itself.

import { dirname, isAbsolute, join } from 'node:path';
import { buildConfig, type HostFacts } from './build.ts';
import { unreadable } from './file-issue.ts';
import { FilterReader } from './filters.ts';
import { type ConfigIssue, IssueList } from './issues.ts';
import type { Config } from './model.ts';
import type { Environment } from './nodes.ts';
import { type ReadFile, SecretReader } from './secrets.ts';
import { SourceText } from './source-text.ts';
import { readSyntax } from './syntax.ts';
import { validate } from './validate.ts';

export type LoadResult =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly ConfigIssue[] }
  /** Errors and warnings, in the order of the file. */
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] };

/** Reads and checks the file at `path`. Never throws for what the user did wrong. */
export function loadConfig(path: string, env: Environment, readFile: ReadFile, host: HostFacts): LoadResult {
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    return { ok: false, issues: [unreadable(path, error)] };
  }
  return parseConfig(text, path, env, readFile, host);
}

/** As loadConfig, for a text at hand; `fileName` is for messages and for what relative paths count from. */
export function parseConfig(
  text: string,
  fileName: string,
  env: Environment,
  readFile: ReadFile,
  host: HostFacts,
): LoadResult {
  const source = new SourceText(fileName, text);
  const issues = new IssueList(source);
  const root = readSyntax(source, env, issues);
  if (root === undefined) return { ok: false, issues: issues.sorted() };
  issues.setRoot(root);
  const input = validate(root, issues);
  if (input === undefined) return { ok: false, issues: issues.sorted() };
  const locate = (path: string): string => (isAbsolute(path) ? path : join(dirname(fileName), path));
  const filters = new FilterReader(source, root, issues, host.policy);
  const config = buildConfig(input, host, new SecretReader(env, readFile, locate, issues), filters, issues);
  if (issues.hasErrors) return { ok: false, issues: issues.sorted() };
  return { ok: true, config, warnings: issues.sorted() };
}
