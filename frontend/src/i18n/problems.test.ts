import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { i18n, i18nReady, setLanguage } from ".";
import { problemCatalogues, problemSentence, scheduleProblem } from "./problems";
import { loadStepWords } from "./steps";

const told = (code: string, message: string) => problemSentence({ code, message });

describe("what the server finds wrong with a workflow", () => {
  beforeAll(async () => {
    await i18nReady;
    await setLanguage("de", false);
    await Promise.all([loadStepWords(), i18n.loadNamespaces([...problemCatalogues()])]);
  });
  afterAll(() => setLanguage("en", false));

  it("is told in German by its code, with the names that people gave", () => {
    expect(told("node.not_connected", "“Post invoice” is not connected, so it never runs. Draw a link to it, or delete it.")).toBe(
      "„Post invoice“ ist nicht verknüpft und läuft darum nie. Zeichnen Sie eine Verknüpfung zu ihm, oder löschen Sie ihn.",
    );
    expect(told("graph.no_start", "Nothing starts this workflow. Add a start, such as a webhook or a schedule.")).toBe(
      "Nichts startet diesen Ablauf. Fügen Sie einen Start hinzu, etwa einen Webhook oder einen Zeitplan.",
    );
    expect(told("container.empty", "“Say “hello”” has nothing to do: put at least one step into it.")).toBe(
      "„Say “hello”“ hat nichts zu tun: Setzen Sie mindestens einen Schritt hinein.",
    );
  });

  it("names settings as they stand in the form, and numbers as one writes them", () => {
    expect(told("required", "“Address” needs a value.")).toBe("„Adresse“ braucht einen Wert.");
    expect(told("invalid", "“Address” may have 2,000 characters.")).toBe("„Adresse“ darf 2.000 Zeichen haben.");
    expect(told("formula", "“Until” is a plain text, which says neither yes nor no. Write it as a formula, such as {{ item.done }}.")).toContain("wie {{ item.done }}.");
  });

  it("says why a formula or data cannot be read, and never half of it", () => {
    expect(told("formula", "“Address”: There is no function “trimm”. Did you mean “trim”?")).toBe("„Adresse“: Eine Funktion „trimm“ gibt es nicht. Meinten Sie „trim“?");
    expect(told("invalid", "“Data”: items[3]: this key stands twice in the same object.")).toBe("„Daten“: items[3]: dieser Schlüssel steht zweimal im selben Objekt.");
    expect(told("invalid", "“total” is not a number: text “abc”.")).toBe("„total“ ist keine Zahl: Text „abc“.");
    expect(told("formula", "“Address”: Something that a newer Millrace says.")).toBe("“Address”: Something that a newer Millrace says.");
    expect(told("naming.formula", "“What people call a run”: There is nothing between {{ and }}.")).toBe("„Wie man einen Lauf nennt“: Zwischen {{ und }} steht nichts.");
  });

  it("says what is wrong with rules and schedules", () => {
    expect(told("conditions", "“is between” does not work on this kind of value.")).toBe("„liegt zwischen“ passt nicht zu Werten dieser Art.");
    expect(scheduleProblem("The first day is written like 2026-11-20.")).toBe("Der erste Tag wird geschrieben wie 2026-11-20.");
    expect(scheduleProblem("“* *” is not a cron expression: Wrong number of fields.")).toBe("„* *“ ist kein Cron-Ausdruck: Die Zahl der Felder stimmt nicht.");
  });

  it("leaves what it does not know", () => {
    expect(told("graph.unheard_of", "Something new.")).toBe("Something new.");
    expect(told("graph.no_start", "Something new.")).toBe("Something new.");
    expect(told("graph.no_start", "")).toBe("");
  });
});

it("is left in English for who reads English", () => {
  expect(problemCatalogues()).toEqual([]);
  expect(told("required", "“Address” needs a value.")).toBe("“Address” needs a value.");
});
