// `bird -p`, and what a daemon that does not start says: one line a mistake, `bird: FILE:LINE:COLUMN message`, as BIRD
// writes its first. Nothing at all where the file is good.

import type { ConfigIssue } from '../../config/issues.ts';

/** The errors among the issues, each on a line; a hint stands behind its message. */
export function describeErrors(name: string, issues: readonly ConfigIssue[]): string {
  const errors = issues.filter(({ severity }) => severity === 'error');
  return errors.map((issue) => `${name}: ${describeError(issue)}`).join('\n');
}

/** `FILE:LINE:COLUMN message (hint)` */
export function describeError({ file, line, column, message, hint }: ConfigIssue): string {
  if (line === 0) return `Unable to open configuration file ${file}: ${reasonIn(message)}`;
  return `${file}:${line}:${column} ${message}${hint === undefined ? '' : ` (${hint})`}`;
}

/** Errors of a file as a whole are all about reading it. */
function reasonIn(message: string): string {
  const reason = message.slice(message.lastIndexOf(': ') + 2);
  return REASONS[reason] ?? reason;
}

const REASONS: Readonly<Record<string, string>> = {
  'there is no such file': 'No such file or directory',
  'permission denied': 'Permission denied',
  'it is a directory': 'Is a directory',
};
