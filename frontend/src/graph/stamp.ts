const stamps = new WeakMap<object, number>();
let last = 0;

/** A number for an object that never changes: the same object, the same number. For cache keys instead of its content. */
export function stampOf(value: object): number {
  const known = stamps.get(value);
  if (known !== undefined) return known;
  last += 1;
  stamps.set(value, last);
  return last;
}
