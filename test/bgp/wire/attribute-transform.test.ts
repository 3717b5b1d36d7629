// The one-pass transform against the editor, which does the same step by step.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AttributeEditor } from '../../../src/bgp/wire/attribute-set.ts';
import { AttributeTransform, TRANSFORM, TransformPlan } from '../../../src/bgp/wire/attribute-transform.ts';
import { ATTRIBUTE } from '../../../src/bgp/wire/iana.ts';
import { octetsOf } from '../../../src/lib/bytes.ts';

const TYPES = [
  ATTRIBUTE.origin,
  ATTRIBUTE.asPath,
  ATTRIBUTE.localPref,
  ATTRIBUTE.communities,
  99,
  250,
] as const;
const PARTIAL = 0x20;

const attributeSets = fc
  .uniqueArray(
    fc.record({
      type: fc.constantFrom(...TYPES),
      value: fc.uint8Array({ minLength: 0, maxLength: 300 }),
      partial: fc.boolean(),
    }),
    { selector: ({ type }) => type },
  )
  .map((attributes) => {
    const editor = new AttributeEditor();
    for (const { type, value, partial } of attributes) {
      if (partial) editor.setWithFlags(type, 0xc0 | PARTIAL, value);
      else editor.set(type, value);
    }
    return editor.finish();
  });

const actions = fc.constantFrom(TRANSFORM.keep, TRANSFORM.drop, TRANSFORM.write);
const plans = fc.tuple(...TYPES.map((type) => actions.map((action) => [type, action] as const)));

describe('AttributeTransform', () => {
  it('does in one pass what the editor does step by step', () => {
    const transform = new AttributeTransform();
    fc.assert(
      fc.property(attributeSets, plans, fc.uint8Array({ maxLength: 5 }), (set, plan, margin) => {
        const source = Uint8Array.from([...margin, ...set]);
        const asked: number[] = [];
        transform.run(
          octetsOf(source),
          margin.length,
          set.length,
          new TransformPlan(plan),
          (type, bytes, start, end) => {
            asked.push(type);
            // Absent ones are made, present ones get a new first element.
            if (start < 0) transform.putUint32(type, 7);
            else transform.putUint32Before(type, 7, bytes, start, end);
          },
        );

        const editor = new AttributeEditor().load(set, 0, set.length);
        for (const [type, action] of plan) {
          const value = editor.get(type);
          if (action === TRANSFORM.drop) editor.remove(type);
          else if (action === TRANSFORM.write)
            editor.set(type, Uint8Array.from([0, 0, 0, 7, ...(value ?? [])]));
        }
        expect(transform.bytes.slice(0, transform.length)).toEqual(editor.finish());
        const written = plan.filter(([, action]) => action === TRANSFORM.write).map(([type]) => type);
        expect(asked).toEqual(written);
      }),
    );
  });

  it('makes room for what it keeps and for what is written', () => {
    const value = (size: number) => Uint8Array.from({ length: size }, (_, i) => i % 251);
    const kept = { [ATTRIBUTE.asPath]: value(9_000), [ATTRIBUTE.largeCommunities]: value(40_000) };
    const editor = new AttributeEditor();
    for (const [type, octets] of Object.entries(kept)) editor.set(Number(type), octets);
    const set = editor.finish();
    const transform = new AttributeTransform();
    const plan = new TransformPlan([[ATTRIBUTE.communities, TRANSFORM.write]]);
    transform.run(octetsOf(set), 0, set.length, plan, (type) => transform.put(type, value(20_000)));
    editor.set(ATTRIBUTE.communities, value(20_000));
    expect(transform.bytes.slice(0, transform.length)).toEqual(editor.finish());
    expect(transform.view.buffer).toBe(transform.bytes.buffer);
  });
});
