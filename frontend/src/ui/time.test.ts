import { describe, expect, it } from "vitest";

import { Formatter, localeOfWords } from "./time";

const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, " ");

describe("times in a workspace of another language", () => {
  const english = { locale: "en-US", timeZone: "UTC", currency: "EUR" };

  it("show a time as it is in another zone, where there is such a zone", () => {
    const formatter = new Formatter(english);
    expect(formatter.in("Europe/Berlin").dayClock("2026-11-30T18:00:00Z")).toContain("07:00 PM");
    expect(formatter.in("Nowhere/At_all").dayClock("2026-11-30T18:00:00Z")).toContain("06:00 PM");
  });
  const german = new Formatter(english, "de");
  const at = "2026-11-20T23:29:34Z";

  it("have their words in the language of the texts", () => {
    const now = new Date(at).getTime() + 12 * 60_000;
    expect(german.relative(at, now)).toBe("vor 12 Min.");
    expect(german.clockSeconds(at)).toBe("23:29:34");
    expect(german.day(at)).toBe("20. Nov. 2026");
    expect(plain(german.duration(62_000))).toBe("1 Min. 2 Sek.");
  });

  it("have numbers and amounts as the workspace writes them", () => {
    expect(german.number(1234.5)).toBe("1,234.5");
    expect(german.amount(1234.5)).toBe("€1,234.50");
    expect(plain(german.duration(1400))).toBe("1.4 Sek.");
  });

  it("keep the region where the language is the same", () => {
    expect(localeOfWords("en", "de-DE", "en-GB")).toBe("en-GB");
    expect(localeOfWords("de", "en-US", "en-GB")).toBe("de");
    expect(plain(new Formatter(english, "en").clockSeconds(at))).toBe("11:29:34 PM");
  });
});
