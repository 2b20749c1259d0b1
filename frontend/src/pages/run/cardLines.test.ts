import { describe, expect, it } from "vitest";

import type { Card } from "../../api/cards";
import type { GraphNode, RunStep, StepSpec } from "../../api/types";
import type { Formatter } from "../../ui";
import { lineOf } from "./cardLines";

const format = {
  digits: (text: string) => text,
  number: (value: number) => String(value),
  amount: (value: number, currency: string) => `${currency} ${value}`,
  duration: (ms: number) => `${ms} ms`,
} as unknown as Formatter;
const t = ((key: string, said: Record<string, unknown> = {}) => `${key} ${Object.values(said).join(" ")}`.trim()) as unknown as Parameters<typeof lineOf>[2];
const EMPTY: Card = {
  node: "n", generation: 1, kind: "value", took_ms: null, value: null, number: false, currency: null, hidden: false, by: null, outcome: null,
  called: null, status: null, identity: null, count: null,
};

function line(card: Partial<Card>): string | null {
  const node = { id: "n", type: "flow.decision@1", config: {} } as unknown as GraphNode;
  const step = { note: "Yes", ports: ["yes"], generation: 1 } as unknown as RunStep;
  return lineOf({ ...EMPTY, ...card }, { node, spec: { category: "logic" } as StepSpec, step }, t, format);
}

describe("the second line of a card", () => {
  it("says what was compared, with its currency, and the way that was taken", () => {
    expect(line({ value: "13412.80", number: true, currency: "EUR" })).toBe("card.way EUR 13412.8 Yes");
    expect(line({ value: "13412.80", number: true })).toBe("card.way 13412.80 Yes");
    expect(line({ value: "DE" })).toBe("card.way DE Yes");
  });

  it("says dots of what is hidden, and nothing of what is not known", () => {
    expect(line({ hidden: true })).toBe("card.way •••• Yes");
    expect(line({})).toBeNull();
  });

  it("says who answered and how long that took, in the builder's own word where there is one", () => {
    expect(line({ kind: "people", by: "Ines Kaya", outcome: "approved", took_ms: 840_000 })).toBe("card.by.approved Ines Kaya · 840000 ms");
    expect(line({ kind: "people", by: "Ines Kaya", outcome: "approved", called: "Release" })).toBe("card.calledBy Release Ines Kaya");
    expect(line({ kind: "people" })).toBeNull();
  });

  it("says the status of a call with what came back, or how long it took", () => {
    expect(line({ kind: "http", status: 201, identity: "V-77", took_ms: 400 })).toBe("201 · V-77");
    expect(line({ kind: "http", status: 200, took_ms: 400 })).toBe("200 · 400 ms");
    expect(line({ kind: "mail", count: 3 })).toBe("card.mail 3 3");
  });
});
