// LLGR_STALE put into attribute sets (RFC 9494 §4.2): which routes may have it, and each set made once.

import { AttributeEditor } from '../bgp/wire/attribute-set.ts';
import { ATTRIBUTE, WELL_KNOWN_COMMUNITIES } from '../bgp/wire/iana.ts';
import { writeUint32 } from '../lib/bytes.ts';
import { ATTR_FLAG, type AttrStore } from './attr-store.ts';
import type { FamilyRib } from './family-rib.ts';

const COMMUNITY_OCTETS = 4;

/** Attribute sets with LLGR_STALE, made once each. */
export class StaleMarker {
  readonly #attrs: AttrStore;
  #editor: AttributeEditor | undefined;
  readonly #marked = new Map<number, number>();

  constructor(attrs: AttrStore) {
    this.#attrs = attrs;
  }

  /** The set with LLGR_STALE, held until `settle`. */
  mark(attr: number): number {
    const known = this.#marked.get(attr);
    if (known !== undefined) return known;
    const result = this.#make(attr);
    this.#marked.set(attr, result);
    // The key names the set: it must not become another one meanwhile.
    this.#attrs.hold(attr);
    return result;
  }

  settle(): void {
    for (const [attr, marked] of this.#marked) {
      this.#attrs.release(attr);
      this.#attrs.release(marked);
    }
    this.#marked.clear();
  }

  #make(attr: number): number {
    const attrs = this.#attrs;
    if ((attrs.flags[attr]! & ATTR_FLAG.llgrStale) !== 0) {
      attrs.hold(attr);
      return attr;
    }
    this.#editor ??= new AttributeEditor();
    const editor = this.#editor.load(attrs.bytes, attrs.offset(attr), attrs.length(attr));
    const before = editor.get(ATTRIBUTE.communities) ?? new Uint8Array(0);
    const value = new Uint8Array(before.length + COMMUNITY_OCTETS);
    value.set(before);
    writeUint32(value, before.length, WELL_KNOWN_COMMUNITIES.LLGR_STALE);
    editor.set(ATTRIBUTE.communities, value);
    return attrs.internViewed(editor.view, 0, editor.length, attrs.nextHop[attr]!, attrs.extras[attr]!);
  }
}

/** RFC 9494 §4.2: the peer, or a policy, does not want the route to be kept. */
export function refusesLongLife({ paths, shared }: FamilyRib, row: number): boolean {
  const { flags } = shared.attrs;
  return ((flags[paths.attrIn(row)]! | flags[paths.attrPost(row)]!) & ATTR_FLAG.noLlgr) !== 0;
}
