import { expect, test } from "vitest";

import { laterChoices } from "./later";

const at = (text: string) => new Date(text);

test("what is put off comes back in an hour, tomorrow morning or on Monday morning", () => {
  const found = laterChoices(at("2026-11-18T15:30:00"), null);
  expect(found.map((one) => [one.id, one.at.toString()])).toEqual([
    ["hour", at("2026-11-18T16:30:00").toString()],
    ["tomorrow", at("2026-11-19T08:00:00").toString()],
    ["monday", at("2026-11-23T08:00:00").toString()],
  ]);
});

test("on a Sunday tomorrow is Monday, and said once", () => {
  expect(laterChoices(at("2026-11-22T15:30:00"), null).map((one) => one.id)).toEqual(["hour", "tomorrow"]);
});

test("on a Monday the next one is meant", () => {
  expect(laterChoices(at("2026-11-23T07:00:00"), null).at(-1)?.at.toString()).toBe(at("2026-11-30T08:00:00").toString());
});

test("nothing is put off beyond the end of its time", () => {
  const ends = at("2026-11-18T17:00:00").toISOString();
  expect(laterChoices(at("2026-11-18T15:30:00"), ends).map((one) => one.id)).toEqual(["hour"]);
});
