import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

import { describe, expect, it } from "vitest";

import type { RunChange, RunSnapshot, RunStep } from "../api/types";
import { applyChange } from "./applyChange";

interface Golden {
  snapshot: RunSnapshot;
  changes: RunChange[];
  fresh: RunSnapshot;
}

const FOLDER = resolve(import.meta.dirname, "../../../tests/golden/live");
const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));

function golden(name: string): Golden {
  return JSON.parse(readFileSync(resolve(FOLDER, name), "utf8")) as Golden;
}

/** Steps are a set: the server may list them in another order. */
function comparable(snapshot: RunSnapshot) {
  const place = (step: RunStep) => `${step.node} ${step.generation}`;
  const steps = [...snapshot.steps].sort((left, right) => place(left).localeCompare(place(right)));
  return { ...snapshot, steps };
}

it("has golden files to read", () => {
  expect(files.length).toBeGreaterThan(0);
});

describe.each(files)("%s", (name) => {
  it("a snapshot with its changes applied equals a fresh snapshot", () => {
    const { snapshot, changes, fresh } = golden(name);
    expect(comparable(changes.reduce(applyChange, snapshot))).toEqual(comparable(fresh));
  });

  it("every change may be delivered twice", () => {
    const { snapshot, changes, fresh } = golden(name);
    const twice = changes.flatMap((change) => [change, change]);
    expect(comparable(twice.reduce(applyChange, snapshot))).toEqual(comparable(fresh));
  });

  it("old changes that arrive late alter nothing", () => {
    const { changes, fresh } = golden(name);
    for (const change of changes) expect(applyChange(fresh, change)).toBe(fresh);
  });

  it("one change that spans all of them leads to the same end", () => {
    const { snapshot, changes, fresh } = golden(name);
    const newest = new Map<string, RunStep>();
    for (const change of changes) {
      for (const step of change.steps) newest.set(`${step.node} ${step.generation}`, step);
    }
    const last = changes.at(-1);
    if (!last) return;
    const whole: RunChange = { ...last, after: snapshot.seq, steps: [...newest.values()] };
    expect(comparable(applyChange(snapshot, whole))).toEqual(comparable(fresh));
  });
});

it("a gap is noticed", () => {
  const { snapshot, changes } = golden(files[0] ?? "");
  const last = changes.at(-1);
  if (!last) throw new Error("no change");
  const later = { ...last, after: snapshot.seq + 1000, seq: 10_000 };
  expect(() => applyChange(snapshot, later)).toThrow(RangeError);
});

it("changes of another run are none of its business", () => {
  const { snapshot, changes } = golden(files[0] ?? "");
  const first = changes[0];
  if (!first) throw new Error("no change");
  expect(applyChange(snapshot, { ...first, run: "another" })).toBe(snapshot);
});
