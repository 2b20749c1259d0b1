import { afterAll, beforeAll, expect, it } from "vitest";

import { toldIn } from "../../api/told";
import type { StepSpec } from "../../graph";
import { i18nReady, setLanguage } from "../../i18n";
import { loadStepWords } from "../../i18n/steps";
import { findSteps } from "./search";

const spec = (name: string, title: string, synonyms: string[]) =>
  ({ type: `${name}@1`, name, title, description: "", synonyms, ports: [], config_schema: {} }) as unknown as StepSpec;
const specs = { call: spec("http.request", "HTTP request", ["curl"]), wait: spec("flow.wait", "Wait", ["delay"]) };

beforeAll(async () => {
  await i18nReady;
  await setLanguage("de", false);
  await loadStepWords();
});
afterAll(() => setLanguage("en", false));

it("finds a step by its words in the person's language and in the server's", () => {
  const told = Object.values(toldIn("de").stepTypes(specs));
  for (const wanted of ["anfrage", "Schnittstelle", "request", "curl"]) expect(findSteps(told, wanted).map((one) => one.name)).toEqual(["http.request"]);
  for (const wanted of ["warten", "Verzögerung", "wait", "delay"]) expect(findSteps(told, wanted)[0]?.name).toBe("flow.wait");
  expect(findSteps(Object.values(specs), "Schnittstelle")).toEqual([]);
});
