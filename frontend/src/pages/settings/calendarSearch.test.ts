import { expect, test } from "vitest";

import { calendarSearch } from "./calendarSearch";

test("an address names a calendar, a year and the months", () => {
  expect(calendarSearch({ calendar: "a", year: 2027, view: "months" })).toEqual({ calendar: "a", year: 2027, view: "months" });
});

test("what no calendar has is left out", () => {
  expect(calendarSearch({ calendar: 7, year: 1969, view: "days" })).toEqual({});
  expect(calendarSearch({ year: 2027.5 })).toEqual({});
  expect(calendarSearch({ year: "2027" })).toEqual({});
});
