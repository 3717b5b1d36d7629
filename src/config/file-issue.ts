// What is wrong with a file as a whole: it cannot be read.

import type { ConfigIssue } from './issues.ts';
import { printable } from './source-text.ts';

/** Of a pipe in the place of a file. */
export const PIPE = 'PIPE';

/** An error that no line of the file is to blame for. */
function fileIssue(path: string, message: string): ConfigIssue {
  return {
    severity: 'error',
    file: printable(path),
    line: 0,
    column: 0,
    path: '',
    message,
    hint: undefined,
    excerpt: undefined,
  };
}

/** What is wrong with a configuration that cannot be read. */
export function unreadable(path: string, error: unknown): ConfigIssue {
  return fileIssue(path, `the configuration cannot be read: ${reasonOf(error)}`);
}

/** `ENOENT` and the like; empty where an error has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** `no such file` and the like, from the error's code. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  switch (code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EISDIR':
      return 'it is a directory';
    case PIPE:
      return 'it is a pipe, and would have to be read again';
    case 'EMFILE':
    case 'ENFILE':
      return 'too many files are open; raise the limit (ulimit -n, LimitNOFILE= of a systemd unit)';
    default:
      return code === '' ? 'reading failed' : code;
  }
}
