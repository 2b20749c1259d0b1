import { expect, it } from "vitest";

import { passwordStrength } from "./password";

it.each([
  ["short", "eleven char"],
  ["weak", "aaaaaaaaaaaa"],
  ["weak", "password1234"],
  ["weak", "mara.koehler"],
  ["good", "correct horse battery staple"],
] as const)("calls it %s: %s", (strength, password) => {
  expect(passwordStrength(password, ["mara", "koehler"])).toBe(strength);
});
