// Which interfaces count: patterns in order, the first that matches decides; `-` before a pattern excludes.

interface Rule {
  readonly regex: RegExp;
  readonly include: boolean;
}

/** Returns the test for interface names. `*` stands for any characters, `?` for one; no pattern matching means no;
 *  an empty list means every interface. */
export function interfaceMatcher(patterns: readonly string[]): (name: string) => boolean {
  if (patterns.length === 0) return () => true;
  const rules: Rule[] = patterns.map((pattern) => {
    const include = !pattern.startsWith('-');
    return { regex: globRegex(include ? pattern : pattern.slice(1)), include };
  });
  return (name) => rules.find(({ regex }) => regex.test(name))?.include ?? false;
}

function globRegex(glob: string): RegExp {
  const source = [...glob].map((char) => {
    if (char === '*') return '.*';
    if (char === '?') return '.';
    return char.replace(/[\\^$.|+()[\]{}]/, '\\$&');
  });
  return new RegExp(`^${source.join('')}$`, 's');
}
