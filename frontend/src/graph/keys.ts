/** Step keys: what formulas call a step (`steps.<key>`). Made from the name, unique without regard to case. */

export const KEY_PATTERN = /^[a-z][a-z0-9_]{0,62}$/;

/** Words a formula already uses for something else. */
const RESERVED = new Set([
  "and", "or", "not", "if", "else", "in", "is", "true", "false", "none", "null", "for",
  "trigger", "steps", "run", "vars", "item", "index", "error",
]);

const LETTERS: Record<string, string> = { ä: "ae", ö: "oe", ü: "ue", ß: "ss", æ: "ae", ø: "oe", å: "aa", ł: "l", đ: "d" };

export function slug(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[äöüßæøåłđ]/g, (letter) => LETTERS[letter] ?? letter)
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "")
    .slice(0, 48)
    .replace(/_+$/, "");
  if (!plain) return "step";
  return /^[a-z]/.test(plain) ? plain : `step_${plain}`;
}

/** A key for `name` that none of `taken` uses. */
export function makeKey(name: string, taken: Iterable<string>): string {
  const used = new Set([...taken].map((key) => key.toLowerCase()));
  const base = slug(name);
  if (!used.has(base) && !RESERVED.has(base)) return base;
  for (let number = 2; ; number += 1) {
    const candidate = `${base}_${number}`;
    if (!used.has(candidate)) return candidate;
  }
}

/** A name for a new step that none of `taken` has: "Send e-mail", "Send e-mail 2", … */
export function makeName(name: string, taken: Iterable<string>): string {
  const used = new Set([...taken].map((other) => other.toLowerCase()));
  if (!used.has(name.toLowerCase())) return name;
  const base = name.replace(/ \d+$/, "");
  for (let number = 2; ; number += 1) {
    const candidate = `${base} ${number}`;
    if (!used.has(candidate.toLowerCase())) return candidate;
  }
}

export function isKey(text: string): boolean {
  return KEY_PATTERN.test(text) && !RESERVED.has(text);
}
