// Which interfaces count: patterns in order, the first that matches decides; `-` before a pattern excludes. A pattern is
// a name with wildcards, a prefix that an address of the interface is in, or both with a space between them.

import { type Prefix, parsePrefix, prefixContains } from './ip.ts';

interface Rule {
  readonly name: RegExp | undefined;
  readonly prefix: Prefix | undefined;
  readonly include: boolean;
}

/**
 * Returns the test for an interface's name and one of its addresses. `*` stands for any characters, `?` for one; no
 * pattern matching means no; an empty list means every interface.
 */
export function interfaceMatcher(
  patterns: readonly string[],
): (name: string, address?: Uint8Array) => boolean {
  if (patterns.length === 0) return () => true;
  const rules = patterns.map(ruleOf);
  return (name, address) => rules.find((rule) => matches(rule, name, address))?.include ?? false;
}

/** One interface, or patterns in its place. */
export interface LinkChoice {
  readonly interface?: string | undefined;
  readonly interfaces?: readonly string[] | undefined;
}

/** The test for the name of a link that a choice means; undefined = any link. */
export function linkMatcher({
  interface: link,
  interfaces,
}: LinkChoice): ((name: string) => boolean) | undefined {
  if (link !== undefined) return (name) => name === link;
  return interfaces === undefined ? undefined : interfaceMatcher(interfaces);
}

/** Whether an example of the links that one choice means is one of the other's. Wildcards on both sides may meet elsewhere. */
export function linksMeet(a: LinkChoice, b: LinkChoice): boolean {
  return isMetBy(a, b) || isMetBy(b, a);
}

function isMetBy(choice: LinkChoice, other: LinkChoice): boolean {
  const takes = linkMatcher(choice);
  const isOwn = linkMatcher(other);
  return exampleNames(other).some((name) => (isOwn?.(name) ?? true) && (takes?.(name) ?? true));
}

/** The shortest names that patterns stand for. */
function exampleNames({ interface: link, interfaces = [] }: LinkChoice): string[] {
  if (link !== undefined) return [link];
  return interfaces.filter((each) => !each.startsWith('-')).map((each) => each.replace(/[*?]/g, exampleOf));
}

function exampleOf(wildcard: string): string {
  return wildcard === '?' ? '0' : '';
}

function ruleOf(pattern: string): Rule {
  const include = !pattern.startsWith('-');
  const words = (include ? pattern : pattern.slice(1)).split(' ');
  const last = words.at(-1) ?? '';
  const prefix = last.includes('/') ? parsePrefix(last) : undefined;
  const mask = prefix === undefined ? words.join(' ') : words[0];
  return { name: mask === last && prefix !== undefined ? undefined : globRegex(mask ?? ''), prefix, include };
}

function matches({ name, prefix }: Rule, link: string, address: Uint8Array | undefined): boolean {
  if (name !== undefined && !name.test(link)) return false;
  return prefix === undefined || (address !== undefined && prefixContains(prefix, address));
}

function globRegex(glob: string): RegExp {
  const source = [...glob].map((char) => {
    if (char === '*') return '.*';
    if (char === '?') return '.';
    return char.replace(/[\\^$.|+()[\]{}]/, '\\$&');
  });
  return new RegExp(`^${source.join('')}$`, 's');
}
