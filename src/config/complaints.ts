// A zod issue -> sentences for the person who wrote the file: what is wrong and what is accepted. Values are shown
// only where they cannot be secrets.

import type { z } from 'zod';
import { nearest } from '../lib/suggest.ts';
import { type ConfigNode, nodeAt, type Path } from './nodes.ts';
import { descriptionAt, keysAt, rangeAt } from './schema-walk.ts';
import { isSecretKey, mentionsSecret } from './source-text.ts';

export interface ComplaintAt {
  /** Relative to what was validated. */
  readonly path: Path;
  readonly message: string;
  readonly hint: string | undefined;
  readonly anchor: 'key' | 'value';
}

export type Issue = z.core.$ZodIssue;

/** Words of other speakers' configurations, folded, and what they are called here. */
const FOREIGN_KEYS: Readonly<Record<string, string | readonly string[]>> = {
  neighbor: ['peers', 'address'],
  neighbors: 'peers',
  neighbours: 'peers',
  peer: 'peers',
  peergroup: 'peerGroups',
  routerid: 'router: { id: ... }',
  as: 'asn',
  remoteas: 'asn',
  peeras: 'asn',
  remoteasn: 'asn',
  peerasn: 'asn',
  remoteaddress: 'address',
  neighboraddress: 'address',
  ip: 'address',
  authpassword: 'password',
  md5: 'password',
  ebgpmultihop: 'multihop',
  gtsm: 'ttlSecurity',
  nexthopself: 'nextHop: self',
  updatesource: 'localAddress',
  sourceaddress: 'localAddress',
  rrclient: 'routeReflectorClient',
  allowasin: 'allowOwnAs',
  allowlocalas: 'allowOwnAs',
  afisafis: 'families',
  addressfamilies: 'families',
  maximumprefix: 'maxPrefixes',
  prefixlimit: 'limits: { received: ... }',
  maximumprefixout: 'limits: { exported: ... }',
  maxaslimit: 'limits: { asPathLength: ... }',
  shutdown: 'enabled: false',
  disabled: 'enabled: false',
  extends: 'group',
  template: 'group',
  graceful: 'gracefulRestart',
  loglevel: 'log: { level: ... }',
  fib: 'kernel',
  announce: 'networks',
  network: 'networks',
};

/** What others have keys for, folded, and how the same is had here. */
const FOREIGN_WAYS: Readonly<Record<string, string>> = {
  defaultoriginate: 'add 0.0.0.0/0 to networks, and let the export filters of the other peers reject it',
  weight: 'set bgp_local_pref or preference in an import filter',
  routemap: 'import and export take filters',
  prefixlist: 'import and export take filters; net ~ [ 192.0.2.0/24{25,32} ] is a prefix list',
  distributelist: 'import and export take filters',
  applypolicy: 'import and export take filters',
  softreconfiguration: 'take it out: routes are always kept as they were received',
  aggregate: 'add the aggregate to networks, and let export filters reject what is in it',
  aggregateaddress: 'add the aggregate to networks, and let export filters reject what is in it',
  unnumbered: 'dynamicPeers with prefix: fe80::/10 and the interface; see examples/unnumbered.yaml',
};

/** Everything that one issue has to say; a mapping with three unknown keys makes three complaints. */
export function complain(issue: Issue, schema: z.core.$ZodType, root: ConfigNode): ComplaintAt[] {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  const node = nodeAt(root, path);
  const at = (message: string, hint?: string): ComplaintAt[] => [
    { path, message, hint: hint ?? descriptionAt(schema, path), anchor: 'value' },
  ];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: 'unknown key',
        hint: unknownKeyHint(key, keysAt(schema, path)),
        anchor: 'key',
      }));
    case 'custom': {
      const hint: unknown = issue.params?.['hint'];
      return at(issue.message, typeof hint === 'string' ? hint : undefined);
    }
    case 'invalid_format':
      return at(issue.message);
    case 'invalid_union':
      return complainAboutUnion(issue, schema, root, path);
    case 'too_small':
    case 'too_big': {
      if (node?.kind !== 'scalar') return at(node?.kind === 'list' ? 'the list is empty' : 'wrong size');
      const range = rangeAt(schema, path);
      if (issue.origin === 'string') {
        return at(
          issue.code === 'too_small'
            ? 'the text is empty'
            : `the text has more than ${issue.maximum} characters`,
        );
      }
      const what = node.expanded ? 'what the environment says' : node.text;
      return at(`${what} is out of range`, range && `accepted: ${range}`);
    }
    case 'invalid_value': {
      const accepted = issue.values.map(String);
      if (node === undefined) return at(`${last(path)} is missing`);
      return at(`expected ${listed(accepted)}, ${found(node, path)}`, choiceHint(node, accepted));
    }
    case 'invalid_type': {
      if (node === undefined) return at(`${last(path)} is missing`);
      return at(
        `expected ${TYPE_WORDS[issue.expected] ?? issue.expected}, ${found(node, path)}`,
        typeHint(issue.expected, node),
      );
    }
    default:
      return at(node === undefined ? `${last(path)} is missing` : 'this value is not accepted');
  }
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

const EMPTY_HINT = 'give the key a value or take it out';

function complainAboutUnion(
  issue: z.core.$ZodIssueInvalidUnion,
  schema: z.core.$ZodType,
  root: ConfigNode,
  path: Path,
): ComplaintAt[] {
  const node = nodeAt(root, path);
  // The alternative that is of the right kind knows best what is wrong.
  const fitting = issue.errors.filter((issues) => !issues.some(isWrongKind));
  const words = issue.errors.flatMap((issues) =>
    issues.flatMap((each) =>
      each.code === 'invalid_value' && each.path.length === 0 ? each.values.map(String) : [],
    ),
  );
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) {
    const inner = only.flatMap((each) => complain({ ...each, path: [...path, ...each.path] }, schema, root));
    const [first] = inner;
    if (words.length === 0 || node?.kind !== 'scalar' || typeof node.value !== 'string') return inner;
    const hint = choiceHint(node, words) ?? first?.hint;
    return [{ path, message: `${issue.message}, ${found(node, path)}`, hint, anchor: 'value' }];
  }
  if (node === undefined) {
    return [
      { path, message: `${last(path)} is missing`, hint: descriptionAt(schema, path), anchor: 'value' },
    ];
  }
  const empty = node.kind === 'scalar' && node.value === null;
  const hint = empty ? EMPTY_HINT : (choiceHint(node, words) ?? descriptionAt(schema, path));
  return [{ path, message: `${issue.message}, ${found(node, path)}`, hint, anchor: 'value' }];
}

function isWrongKind(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

export function unknownKeyHint(key: string, accepted: readonly string[]): string {
  const folded = key.toLowerCase().replaceAll(/[-_ ]/g, '');
  if (key === '<<') return 'merge keys are not used here; put what is common into a group under peerGroups';
  const foreign = Object.hasOwn(FOREIGN_KEYS, folded) ? [FOREIGN_KEYS[folded]!].flat() : [];
  const here = foreign.find((each) => accepted.includes(each.split(':')[0]!));
  if (here !== undefined) return `here it is called ${here}`;
  if (Object.hasOwn(FOREIGN_WAYS, folded)) return FOREIGN_WAYS[folded]!;
  const near = nearest(key, accepted);
  if (near !== undefined) return `did you mean ${near}?`;
  if (accepted.length === 0) return 'no keys are accepted here';
  if (accepted.length > MOST_LISTED) return 'examples/everything.yaml shows every key';
  return `accepted here: ${accepted.join(', ')}`;
}

function choiceHint(node: ConfigNode, accepted: readonly string[]): string | undefined {
  if (node.kind !== 'scalar' || accepted.length === 0) return undefined;
  const near = node.expanded ? undefined : (nearest(node.text, accepted) ?? beginning(node.text, accepted));
  return near === undefined ? `accepted: ${listed(accepted)}` : `did you mean ${near}?`;
}

/** The only one that begins so: ipv4 for ipv4-unicast. */
function beginning(text: string, accepted: readonly string[]): string | undefined {
  const found = text === '' ? [] : accepted.filter((each) => each.startsWith(text));
  return found.length === 1 ? found[0] : undefined;
}

function typeHint(expected: string, node: ConfigNode): string | undefined {
  if (node.kind === 'scalar' && node.value === null) return EMPTY_HINT;
  if (expected === 'array') {
    return node.kind === 'scalar' && !node.expanded
      ? 'write a list, also for a single value: [ ... ]'
      : 'write [ ... ], or one entry a line that starts with "- "';
  }
  if (node.kind !== 'scalar') return undefined;
  if (expected === 'boolean') return 'write true or false';
  const numeric = expected === 'int' || expected === 'number';
  if (numeric && !node.plain && /^\d+$/.test(node.text)) return 'take the quotes away';
  return undefined;
}

/** `found the text "acept"`; never the value of a secret or of a variable. */
function found(node: ConfigNode, path: Path): string {
  if (node.kind === 'list') return 'found a list';
  if (node.kind === 'map') return 'found a mapping';
  if (node.value === null) return 'found nothing';
  if (path.some((step) => typeof step === 'string' && isSecretKey(step))) return 'found something else';
  if (mentionsSecret(node.text)) return 'found several words';
  if (node.expanded) return 'found something else in the environment';
  const text = node.text.length > LONGEST_SHOWN ? `${node.text.slice(0, LONGEST_SHOWN)}\u2026` : node.text;
  return typeof node.value === 'string' ? `found "${text}"` : `found ${text}`;
}

const LONGEST_SHOWN = 40;
/** More accepted words than this are no help. */
const MOST_LISTED = 16;

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

function last(path: Path): string {
  const step = path.at(-1);
  return step === undefined ? 'it' : String(step);
}
