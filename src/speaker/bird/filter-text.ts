// How BIRD calls a channel's filter: ACCEPT, REJECT, (unnamed), or its name.

import type { FamilyPolicy } from '../../config/model.ts';
import type { FilterUse } from '../../policy/ast.ts';

const TEXTS = { accept: 'ACCEPT', reject: 'REJECT', none: 'REJECT' } as const;
const UNNAMED = '(unnamed)';

/** As written where it is in BIRD's language, else by what the model has. */
export function filterText(use: FilterUse | undefined, policy: FamilyPolicy, isWritten: boolean): string {
  if (isWritten && use !== undefined) {
    switch (use.kind) {
      case 'all':
        return 'ACCEPT';
      case 'none':
        return 'REJECT';
      case 'named':
        return use.name.name;
      default:
        return UNNAMED;
    }
  }
  return typeof policy === 'string' ? TEXTS[policy] : (policy.name ?? UNNAMED);
}
