const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";

/** A short random id for a step, link or note: unique within a document and across pasted ones. */
export function newId(prefix: "n" | "e" | "a"): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  let text = `${prefix}_`;
  for (const byte of bytes) text += ALPHABET[byte % 36];
  return text;
}
