import { afterAll, beforeAll, expect, it } from "vitest";

import type { StepSpec } from "../graph/types";
import { i18nReady, setLanguage } from "../i18n";
import { retell } from "../i18n/server";
import { toldIn } from "./told";

beforeAll(async () => {
  await i18nReady;
  await setLanguage("de", false);
});
afterAll(() => setLanguage("en", false));

it("names ways out of steps, and none that somebody named", () => {
  const spec = { ports: [{ id: "yes", label: "Yes" }, { id: "case_1", label: "Yes" }] } as unknown as StepSpec;
  expect(toldIn("de").stepTypes({ one: spec })["one"]?.ports.map((port) => port.label)).toEqual(["Ja", "Yes"]);
  expect(retell("ports", "out", "Event came")).toBe("Ereignis kam");
});
