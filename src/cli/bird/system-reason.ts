// Why the system refused something, in its own words.

import { getSystemErrorMap } from 'node:util';
import { errorText } from '../../lib/error-text.ts';

/** `no such file or directory` for an error of node:fs; else what the error says. */
export function systemReason(error: unknown): string {
  const errno =
    error instanceof Error && 'errno' in error && typeof error.errno === 'number' ? error.errno : 0;
  return getSystemErrorMap().get(errno)?.[1] ?? errorText(error);
}
