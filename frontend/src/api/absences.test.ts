import { expect, it } from "vitest";

import { type Absence, stateOf } from "./absences";

it("has a form begin anew when anything of an absence was changed elsewhere", () => {
  const who = { member: "m1", name: "Alice", me: true };
  const absence: Absence = {
    who,
    first_day: "2026-12-01",
    last_day: "2026-12-03",
    holds: true,
    stand_in: { member: "m2", name: "Ben", me: false },
    hand: null,
    why: "",
    note: "Call me",
  };
  const changes: Partial<Absence>[] = [{ first_day: "2026-12-02" }, { last_day: null }, { stand_in: null }, { note: "Do not call me" }];
  const states = [absence, ...changes.map((change) => ({ ...absence, ...change })), null].map(stateOf);
  expect(new Set(states).size).toBe(states.length);
  expect(stateOf({ ...absence, holds: false })).toBe(stateOf(absence));
});
