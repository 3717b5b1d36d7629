import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PrefixTrie, toBytes, toWords } from '../../src/lib/prefix-trie.ts';

// The naive twin: a map from the prefix's bits as text.
class NaiveTrie {
  readonly entries = new Map<string, number>();
  longest(key: string): number {
    for (let length = key.length; length >= 0; length--) {
      const value = this.entries.get(key.slice(0, length));
      if (value !== undefined) return value;
    }
    return -1;
  }
  inside(key: string): number[] {
    return [...this.entries]
      .filter(([own]) => own.startsWith(key))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, value]) => value);
  }
}

function bitText(words: Int32Array, bits: number): string {
  return [...words]
    .map((word) => (word >>> 0).toString(2).padStart(32, '0'))
    .join('')
    .slice(0, bits);
}

function key(stride: 1 | 4) {
  // Few distinct words, so that prefixes cover and meet one another.
  const word = fc.oneof(fc.constantFrom(0, -1, 0x0a000000, 0x0a000100, 0x0a800000), fc.integer());
  return fc
    .tuple(fc.array(word, { minLength: stride, maxLength: stride }), fc.integer({ min: 0, max: stride * 32 }))
    .map(([list, bits]) => {
      const words = Int32Array.from(list);
      for (let i = 0; i < stride; i++) {
        const kept = bits - i * 32;
        if (kept <= 0) words[i] = 0;
        else if (kept < 32) words[i] = words[i]! & (-1 << (32 - kept));
      }
      return { words, bits };
    });
}

describe.each([1, 4] as const)('PrefixTrie of %i words', (stride) => {
  it('does what a map of bit strings does', () => {
    const step = fc.record({ key: key(stride), remove: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.array(key(stride), { maxLength: 10 }),
        (steps, probes) => {
          const trie = new PrefixTrie(stride);
          const naive = new NaiveTrie();
          steps.forEach(({ key: { words, bits }, remove }, value) => {
            const text = bitText(words, bits);
            const before = naive.entries.get(text) ?? -1;
            if (remove) {
              expect(trie.delete(words, bits)).toBe(before);
              naive.entries.delete(text);
            } else {
              expect(trie.set(words, bits, value)).toBe(before);
              naive.entries.set(text, value);
            }
          });
          expect(trie.size).toBe(naive.entries.size);
          for (const { words, bits } of [...probes, ...steps.map((s) => s.key)]) {
            const text = bitText(words, bits);
            expect(trie.get(words, bits)).toBe(naive.entries.get(text) ?? -1);
            expect(trie.longest(words, bits)).toBe(naive.longest(text));
            const walked: number[] = [];
            trie.walk(words, bits, (value) => walked.push(value));
            expect(walked).toEqual(naive.inside(text));
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('PrefixTrie', () => {
  it('is empty again after everything was taken out, and can be filled anew', () => {
    const trie = new PrefixTrie(1);
    for (let i = 0; i < 1000; i++) trie.set([i << 12], 20, i);
    for (let i = 0; i < 1000; i++) expect(trie.delete([i << 12], 20)).toBe(i);
    expect(trie.size).toBe(0);
    const seen: number[] = [];
    trie.walk([0], 0, (value) => seen.push(value));
    expect(seen).toEqual([]);
    trie.set([0], 0, 7);
    expect(trie.longest([-1], 32)).toBe(7);
    trie.clear();
    expect(trie.longest([-1], 32)).toBe(-1);
  });

  it('tells all covering prefixes, shortest first', () => {
    const trie = new PrefixTrie(1);
    trie.set([0], 0, 0);
    trie.set([0x0a000000], 8, 1);
    trie.set([0x0a010000], 16, 2);
    trie.set([0x0a020000], 16, 3);
    const found: number[] = [];
    trie.covering([0x0a010203], 32, (value) => found.push(value));
    expect(found).toEqual([0, 1, 2]);
  });

  it('turns octets into words and back', () => {
    const bytes = Uint8Array.from({ length: 16 }, (_, i) => 0xf8 + i);
    expect(toBytes(toWords(bytes), 0, 4)).toEqual(bytes);
    expect([...toWords(Uint8Array.of(255, 0, 0, 1))]).toEqual([0xff000001 | 0]);
  });
});
