import { describe, expect, it } from "vitest";

import { dayOfRow, isTooLong, rowOf, weeksOf } from "./calendarDays";

describe("days of a calendar in a form", () => {
  it("keeps days of one year and of every year as they are", () => {
    for (const day of [
      { day: "2026-12-24", until: "", name: "Closed", works: false },
      { day: "2026-12-24", until: "2027-01-02", name: "", works: true },
      { day: "12-24", until: "01-02", name: "Closed", works: false },
      { day: "02-29", until: "", name: "Leap day", works: false },
    ]) {
      expect(dayOfRow(rowOf(day, 1, "2027"))).toEqual(day);
    }
  });

  it("shows days over the end of the year with the year behind it", () => {
    const row = rowOf({ day: "12-24", until: "01-02" }, 1, "2027");
    expect([row.from, row.until, row.yearly]).toEqual(["2027-12-24", "2028-01-02", true]);
  });

  it("shows days that begin or end on the 29th of February in years that have it", () => {
    const shown = (day: string, until: string) => {
      const row = rowOf({ day, until }, 1, "2027");
      expect(dayOfRow(row)).toMatchObject({ day, until });
      expect(isTooLong(row)).toBe(false);
      return [row.from, row.until];
    };
    expect(shown("02-20", "02-29")).toEqual(["2028-02-20", "2028-02-29"]);
    expect(shown("02-29", "03-02")).toEqual(["2028-02-29", "2028-03-02"]);
    expect(shown("12-24", "02-29")).toEqual(["2027-12-24", "2028-02-29"]);
    expect(shown("02-29", "02-28")).toEqual(["2028-02-29", "2029-02-28"]);
  });

  it("knows what is of every year and longer than one", () => {
    const row = { key: 1, from: "2027-06-11", until: "2028-06-10", yearly: true, name: "", works: false };
    expect(isTooLong(row)).toBe(false);
    expect(isTooLong({ ...row, until: "2028-06-11" })).toBe(true);
    expect(isTooLong({ ...row, until: "2030-01-01" })).toBe(true);
    expect(isTooLong({ ...row, until: "2030-01-01", yearly: false })).toBe(false);
    expect(isTooLong({ ...row, until: "" })).toBe(false);
  });

  it("takes an end that is the beginning for one day", () => {
    expect(dayOfRow({ key: 1, from: "2027-06-11", until: "2027-06-11", yearly: false, name: " Party ", works: false })).toEqual({ day: "2027-06-11", until: "", name: "Party", works: false });
  });
});

describe("the weeks of a month", () => {
  it("begin on Mondays and have seven places", () => {
    const weeks = weeksOf(2027, 1);
    expect(weeks).toHaveLength(4);
    expect(weeks[0]?.[0]).toBe("2027-02-01");
    expect(weeksOf(2026, 10)[0]).toEqual([null, null, null, null, null, null, "2026-11-01"]);
    expect(weeksOf(2028, 1).flat().filter(Boolean)).toHaveLength(29);
  });
});
