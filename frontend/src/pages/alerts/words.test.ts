import type { TFunction } from "i18next";
import { describe, expect, it } from "vitest";

import de from "../../i18n/de/alerts.json";
import en from "../../i18n/en/alerts.json";
import { Formatter } from "../../ui";
import { KINDS, piecesOf, standingOf } from "./words";

const places = (sentence: string) =>
  piecesOf(sentence)
    .filter((piece) => piece.place)
    .map((piece) => piece.text)
    .sort();

describe("sentences of rules", () => {
  it("are words and places, in their order", () => {
    expect(piecesOf("If {kind} of {what}.")).toEqual([
      { text: "If ", place: false },
      { text: "kind", place: true },
      { text: " of ", place: false },
      { text: "what", place: true },
      { text: ".", place: false },
    ]);
  });

  it("have the same places in both languages, so that nothing can be filled in by one alone", () => {
    for (const kind of KINDS) {
      expect(places(de.sentence[kind])).toEqual(places(en.sentence[kind]));
      expect(places(en.sentence[kind])).toContain("channels");
      expect(places(de.short[kind])).toEqual(places(en.short[kind]));
    }
  });
});

describe("how a rule stands", () => {
  const t = ((key: string, values: Record<string, string>) => `${key} ${Object.values(values).join("|")}`) as unknown as TFunction<"alerts">;
  const format = new Formatter({ locale: "en", timeZone: "UTC", currency: "EUR" });

  it("says how many of muted groups were left out, and nothing where there were none", () => {
    const measure = { value: 2, over: false, part: null, whole: null, muted: 3 };
    expect(standingOf({ kind: "dead_letters" }, measure, t, format)).toBe("now.muted now.value 2|3");
    expect(standingOf({ kind: "dead_letters" }, { ...measure, muted: 0 }, t, format)).toBe("now.value 2");
  });
});
