// How this process was started, as what it becomes is started (upgrader.ts).

import { faceOf } from '../bird/faces.ts';
import type { Invocation } from './upgrader.ts';

/** `checks`: command lines of godwit that show whether a program takes the configuration. */
export function invocationOf(
  { execPath, execArgv, argv0, argv }: Pick<NodeJS.Process, 'execPath' | 'execArgv' | 'argv0' | 'argv'>,
  checks: Invocation['checks'],
): Invocation {
  const [, script = '', ...words] = argv;
  // Called `bird`, the name says what to be; the file of another version is called otherwise.
  const face = faceOf(script, words);
  const wordsElsewhere = face === undefined ? words : [face.name, ...face.argv];
  return { execPath, execArgv, argv0, script, words, wordsElsewhere, checks };
}
