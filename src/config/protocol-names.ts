// Names of protocols: commands, filters and BIRD's views find peers, ranges of them, pipes, caches of RPKI data and
// BMP stations by their names, so that no two of them may have the same, of whatever kind they are.

import type { IssueList } from './issues.ts';
import { formatPath, type Path } from './nodes.ts';

export interface NamedEntry {
  readonly name: string;
  /** Where in the file it stands. */
  readonly path: Path;
}

/** Reports each name that an earlier entry has already, with the place of that one. */
export function checkProtocolNames(entries: readonly NamedEntry[], issues: IssueList): void {
  const byName = new Map<string, Path>();
  for (const { name, path } of entries) {
    const earlier = byName.get(name);
    if (earlier === undefined) {
      byName.set(name, path);
      continue;
    }
    const written = [...path, 'name'];
    issues.error(
      issues.has(written) ? written : path,
      `the name ${name} is taken by ${formatPath(earlier)} in line ${issues.lineAt(earlier)}`,
      'give each its own name',
    );
  }
}
