/** How hard a password is to guess, roughly: the server has the last word, this only helps while typing. */
export type Strength = "short" | "weak" | "fair" | "good";

export const SHORTEST_PASSWORD = 12;

const COMMON = [
  "password",
  "passwort",
  "millrace",
  "qwert",
  "asdf",
  "12345",
  "abcdef",
  "letmein",
  "welcome",
  "willkommen",
  "admin",
];

export function passwordStrength(password: string, about: readonly string[] = []): Strength {
  if (password.length < SHORTEST_PASSWORD) return "short";
  let rest = password.toLowerCase();
  for (const word of [...COMMON, ...about.map((one) => one.toLowerCase()).filter((one) => one.length > 2)]) {
    rest = rest.replaceAll(word, "");
  }
  rest = rest.replace(/(.)\1{2,}/gu, "$1");
  const kinds = [/[a-z]/u, /[A-Z]/u, /\d/u, /[^A-Za-z\d]/u].filter((kind) => kind.test(password)).length;
  const different = new Set(rest).size;
  const score = rest.length + different / 2 + kinds * 2;
  if (rest.length < 8 || different < 5) return "weak";
  return score < 24 ? "fair" : "good";
}
