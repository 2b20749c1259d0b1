import { describe, expect, it } from "vitest";

import { Formatter, localeOfWords } from "./time";

const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, " ");

describe("times in a workspace of another language", () => {
  const english = { locale: "en-US", timeZone: "UTC", currency: "EUR" };

  it("show a time as it is in another zone, where there is such a zone", () => {
    const formatter = new Formatter(english);
    expect(formatter.in("Europe/Berlin").dayClock("2026-11-30T18:00:00Z")).toContain(", 7:00 PM");
    expect(formatter.in("Nowhere/At_all").dayClock("2026-11-30T18:00:00Z")).toContain(", 6:00 PM");
  });

  it("have no nought before the hours of a day of twelve, and one before those of 24", () => {
    const early = "2026-11-20T05:03:07Z";
    expect(plain(new Formatter(english, "en").clockSeconds(early))).toBe("5:03:07 AM");
    expect(plain(new Formatter(english, "en").clock(early))).toBe("5:03 AM");
    expect(new Formatter(english, "de").clockSeconds(early)).toBe("05:03:07");
    expect(new Formatter({ ...english, locale: "en-GB" }, "en").clockSeconds(early)).toBe("05:03:07");
  });

  it("say the day of a moment that is not today", () => {
    const now = Date.parse("2026-11-20T12:00:00Z");
    const format = new Formatter(english, "en");
    expect(plain(format.clockOf("2026-11-20T05:03:07Z", now))).toBe("5:03:07 AM");
    expect(plain(format.clockOf("2026-11-19T05:03:07Z", now))).toBe("Nov 19, 5:03:07 AM");
    expect(plain(format.clockOf("2027-01-02T05:03:07Z", now))).toBe("Jan 2, 2027, 5:03:07 AM");
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
