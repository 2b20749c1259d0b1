import { expect, it } from "vitest";

import { isMac, keyText } from "./keys";

it("writes shortcuts with the signs of a Mac on a Mac", () => {
  expect(keyText("Ctrl Shift Z", true)).toBe("⌘⇧Z");
  expect(isMac("MacIntel")).toBe(true);
  expect(isMac("Win32")).toBe(false);
});
