// In tests an array that another one has taken the place of holds nothing that anybody could have meant, as its pages do
// in the product, where they are given back.

import { whenOutgrown } from '../../src/lib/columns.ts';

const NONSENSE = 0xa5;

export function spoilOutgrown(): void {
  whenOutgrown(({ buffer, byteOffset, byteLength }) => {
    new Uint8Array(buffer, byteOffset, byteLength).fill(NONSENSE);
  });
}

spoilOutgrown();
