// `${NAME}` and `${NAME:-default}` inside a scalar, from the environment. `$${` stands for a literal `${`. The value
// of a variable never appears in a message: it may be a secret.

import type { Environment } from './nodes.ts';

export type Expansion =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly message: string; readonly hint: string };

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g;
const NAME = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/** Replaces every reference; an empty variable counts as unset only where there is a default, as in a shell. */
export function expandReferences(text: string, env: Environment): Expansion {
  let failure: Expansion | undefined;
  const expanded = text.replaceAll(
    REFERENCE,
    (whole: string, body: string | undefined, close: string | undefined) => {
      if (whole === '$${') return '${';
      const match = close === '}' ? NAME.exec(body ?? '') : null;
      if (match === null) {
        failure ??= {
          ok: false,
          message: 'this is not a reference to an environment variable',
          hint: `write \${NAME} or \${NAME:-default}; $\${ stands for the characters \${`,
        };
        return '';
      }
      const [, name = '', fallback] = match;
      const value = Object.hasOwn(env, name) ? env[name] : undefined;
      if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
      if (value === undefined) {
        failure ??= {
          ok: false,
          message: `the environment variable ${name} is not set`,
          hint: `set it, or give a default: \${${name}:-...}`,
        };
        return '';
      }
      return value;
    },
  );
  return failure ?? { ok: true, text: expanded };
}
