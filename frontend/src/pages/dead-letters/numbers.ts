/** How many of `wanted` there are; nothing where that is no number of runs. */
export function howMany(typed: string, most: number): number | undefined {
  const number = /^\d{1,6}$/.test(typed.trim()) ? Number(typed) : 0;
  return number >= 1 && number <= most ? number : undefined;
}
