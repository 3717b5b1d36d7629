// What looks like a secret is blacked out before it is logged, whatever layer logged it.

import type { LogFields } from '../lib/log.ts';

const CENSORED = '<redacted>';
const SECRET_NAME =
  /(passwords?|passwd|secrets?|tokens?|credentials?|(^|_|-|md5|ao|auth|private|shared)keys?)$/i;
/** Deeper than any field that a layer logs; what lies below is left out. */
const MAX_DEPTH = 6;

/** A copy of the fields in which values of secret names are replaced, at any depth. */
export function redact(fields: LogFields): LogFields {
  return redactObject(fields, 0);
}

function redactObject(source: object, depth: number): LogFields {
  return Object.fromEntries(
    Object.entries(source).map(([name, value]) => [
      name,
      SECRET_NAME.test(name) && value !== undefined ? CENSORED : redactValue(value, depth + 1),
    ]),
  );
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) return '[...]';
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  // Errors have a serialiser, and other classes answer for themselves (Secret does).
  return prototype === Object.prototype || prototype === null ? redactObject(value, depth) : value;
}
