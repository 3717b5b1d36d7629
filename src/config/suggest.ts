// The configuration's way to lib/suggest.ts.

export { editDistance, nearest } from '../lib/suggest.ts';
