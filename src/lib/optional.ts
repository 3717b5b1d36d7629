// What may be left open: ends of a path that name a link, an own address, or neither.

/** Whether both may mean the same: who says nothing may mean what the other says. */
export function mayBeSame(a: string | undefined, b: string | undefined): boolean {
  return a === undefined || b === undefined || a === b;
}
