/** The beginning of a digest, enough to tell files apart by eye. */
export function shortDigest(sha256: string): string {
  return sha256.slice(0, 8);
}
