import { afterAll, beforeAll, expect, it } from "vitest";

import type { StepSpec } from "../graph/types";
import { i18nReady, setLanguage } from "../i18n";
import { retell } from "../i18n/server";
import { loadStepWords } from "../i18n/steps";
import { toldIn } from "./told";

beforeAll(async () => {
  await i18nReady;
  await setLanguage("de", false);
  await loadStepWords();
});
afterAll(() => setLanguage("en", false));

it("names ways out of steps, and none that somebody named", () => {
  const spec = { name: "one", config_schema: {}, ports: [{ id: "yes", label: "Yes" }, { id: "case_1", label: "Yes" }] } as unknown as StepSpec;
  expect(toldIn("de").stepTypes({ one: spec })["one"]?.ports.map((port) => port.label)).toEqual(["Ja", "Yes"]);
  expect(retell("ports", "out", "Event came")).toBe("Ereignis kam");
});

const field = (more: object): object => ({ type: "string", title: "Address", description: "None: all rows.", ...more });
const spec = {
  type: "http.request@1",
  name: "http.request",
  title: "HTTP request",
  description: "Calls another system's web interface and hands on its answer.",
  synonyms: ["api", "curl"],
  effect_note: "Only reads. It can be repeated at any time.",
  ports: [],
  defaults: { body: "Nothing" },
  config_schema: {
    properties: {
      url: field({ "x-ui": { help: "None: all rows.", placeholder: "Nothing to do", group: "Pages", widget: "url" } }),
      body: field({ title: "What a newer Millrace asks", enum: ["none", "raw"], "x-ui": { options: [{ value: "none", label: "Nothing" }, { value: "raw", label: "Newer" }] } }),
      land: { "x-ui": { options: [{ value: "", label: "Monday to Friday" }, { value: "AT", label: "Austria (AT)" }, { value: "DE", label: "Germany (DE)" }, { value: "EG", label: "Egypt (EG)" }] } },
      rows: { title: "Rows", items: { properties: { to: { title: "To" } } }, "x-ui": { add: "Add a rule", new: "Column" } },
    },
  },
} as unknown as StepSpec;

it("tells a step type in the person's language, and keeps what is stored", () => {
  const told = toldIn("de").stepTypes({ one: spec })["one"];
  expect(told).toMatchObject({
    name: "http.request",
    title: "HTTP-Anfrage",
    description: "Ruft die Webschnittstelle eines anderen Systems auf und gibt dessen Antwort weiter.",
    effect_note: "Liest nur. Der Schritt lässt sich jederzeit wiederholen.",
    defaults: { body: "Nothing" },
    config_schema: {
      properties: {
        url: { title: "Adresse", description: "Keine: alle Zeilen.", "x-ui": { help: "Keine: alle Zeilen.", placeholder: "Nichts zu tun", group: "Seiten", widget: "url" } },
        body: { title: "What a newer Millrace asks", enum: ["none", "raw"], "x-ui": { options: [{ value: "none", label: "Nichts" }, { value: "raw", label: "Newer" }] } },
        rows: { title: "Zeilen", items: { properties: { to: { title: "An" } } }, "x-ui": { add: "Regel hinzufügen", new: "Spalte" } },
      },
    },
  });
  expect(spec.title).toBe("HTTP request");
});

it("calls countries what the browser calls them, and puts them in order", () => {
  const told = toldIn("de").stepTypes({ one: spec })["one"]?.config_schema.properties?.["land"];
  expect(told?.["x-ui"]?.["options"]).toEqual([
    { value: "", label: "Montag bis Freitag" },
    { value: "EG", label: "Ägypten (EG)" },
    { value: "DE", label: "Deutschland (DE)" },
    { value: "AT", label: "Österreich (AT)" },
  ]);
});

it("has the words of both languages to be found by", () => {
  const told = toldIn("de").stepTypes({ one: spec })["one"];
  expect(told?.synonyms).toEqual(expect.arrayContaining(["Schnittstelle", "HTTP request", "curl"]));
});

it("explains functions in the person's language", () => {
  expect(toldIn("de").functions([{ name: "upper", help: "The text in capital letters." }])).toEqual([
    { name: "upper", help: "Der Text in Großbuchstaben.", also: "The text in capital letters." },
  ]);
});

it("leaves English as the server says it", () => {
  expect(toldIn("en").stepTypes({ one: spec })["one"]?.config_schema).toBe(spec.config_schema);
  const functions = [{ help: "The text in capital letters." }];
  expect(toldIn("en").functions(functions)).toBe(functions);
});
