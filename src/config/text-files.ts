// The files that a configuration is made of, as texts. They are read anew for every reload, so what can be read once is
// kept (a pipe from another program), and what nobody may ever write to, while the daemon waits for it, is refused.

import { readFileSync, statSync } from 'node:fs';
import { PIPE } from './file-issue.ts';

/** What the program was given when it was started: `... | godwit check /dev/stdin`, `godwit check <(...)`. */
const INHERITED = /^\/(?:dev\/stdin|(?:dev|proc\/self)\/fd\/\d+)$/;

/** Reads whole files; throws as node:fs does, and an error of the code PIPE for a named pipe. */
export function textFiles(): (path: string) => string {
  const kept = new Map<string, string>();
  return (path) => {
    const known = kept.get(path);
    if (known !== undefined) return known;
    const isPipe = statSync(path).isFIFO();
    const isInherited = INHERITED.test(path);
    if (isPipe && !isInherited) throw Object.assign(new Error('a named pipe'), { code: PIPE });
    const text = readFileSync(path, 'utf8');
    if (isPipe) kept.set(path, text);
    return text;
  };
}
