import { describe, expect, it } from "vitest";

import type { Fate, Json, Known, PlanStep, RetryPlan, StepSpec } from "../../api/types";
import { formatExact, parseExact } from "../../graph/exact";
import {
  type Answers, byGo, countSteps, editFields, fateOf, isEditable, missingIn, NO_ANSWERS, planLines, requestOf, sentencesByStep, settingsOf, shortFacts, whyOf,
} from "./retry";

function step(node: string, fate: Fate, why: Known | null = null, more: Partial<PlanStep> = {}): PlanStep {
  return { node, key: node, name: node, type: "http.request@1", fate, why, first: fate === "asks" || fate === "again", input: null, items: null, asks: null, ...more };
}

function plan(...steps: PlanStep[]): RetryPlan {
  return { id: "plan", generation: 1, version: 1, versions: [1], changes: null, steps, incompatible: [], dropped: [], missing: [], paused_around: false, workflow_held: false };
}

const answers = (more: Partial<Answers>): Answers => ({ ...NO_ANSWERS, ...more });
const settings: Json = { method: "POST", url: "http://a/wrong", tries: 3, send: true, body: { a: 1 } };

describe("edited settings", () => {
  it("name the fields that have another value, and only those", () => {
    const { changed, settings: after } = settingsOf(settings, { url: "http://a/right", method: "POST", tries: "4", send: true });
    expect(changed).toEqual(["url", "tries"]);
    expect(after).toEqual({ ...(settings as object), url: "http://a/right", tries: 4 });
  });

  it("keep the digits of numbers that nobody touched", () => {
    const input = parseExact('{"amount": 10.50, "note": "x"}') as Json;
    const { settings: after } = settingsOf(input, { note: "y", amount: "10.50" });
    expect(formatExact(after)).toBe('{"amount":10.50,"note":"y"}');
  });

  it("tell a number and JSON that cannot be read", () => {
    expect(settingsOf(settings, { tries: "many", body: "{" }).bad).toEqual(["tries", "body"]);
  });

  it("are the same where JSON is only spaced otherwise", () => {
    expect(settingsOf(settings, { body: '{ "a":   1 }' }).changed).toEqual([]);
  });
});

describe("the fields to edit", () => {
  const spec = {
    config_schema: {
      properties: {
        url: { type: "string", title: "Address", "x-ui": { order: 2 } },
        method: { type: "string", title: "Method", default: "GET", "x-ui": { order: 1 } },
        seconds: { type: "number", title: "Give up after", default: 30, "x-ui": { order: 3 } },
        raw: { type: "string", "x-ui": { order: 4, showIf: { method: ["PUT"] } } },
        connection: { type: "string", "x-ui": { order: 5, widget: "connection" } },
      },
    },
  } as unknown as StepSpec;

  it("stand in the order of the step type and have its names", () => {
    const fields = editFields({ url: "u", method: "POST", other: 1 }, spec);
    expect(fields.map((field) => field.label)).toEqual(["Method", "Address", "Other"]);
  });

  it("put aside what is as usual, and leave out what does not apply and connections", () => {
    const fields = editFields({ url: "u", method: "POST", seconds: 30, raw: "text", connection: "id" }, spec);
    expect(fields.map(({ name, aside }) => [name, aside])).toEqual([["method", false], ["url", false], ["seconds", true]]);
  });

  it("are edited as what they are", () => {
    const kinds = editFields({ a: "x", b: 1, c: true, d: [1], e: null, f: "one\ntwo", g: parseExact("1.50") as Json }, undefined);
    expect(kinds.map((field) => field.kind)).toEqual(["text", "number", "switch", "json", "json", "long", "number"]);
  });
});

describe("the fate of a step", () => {
  it("says why it is safe, or why it is not", () => {
    expect(whyOf("kept", null)).toBeNull();
    expect(whyOf("again", "refused")).toBe("again_refused");
    expect(whyOf("repeats", "happened")).toBeNull();
    expect(whyOf("repeats", "same_key")).toBe("repeats_same_key");
  });

  it("becomes a repetition when what is sent with the same key is edited", () => {
    const safe = step("a", "again", "same_key", { input: settings });
    expect(fateOf(safe, NO_ANSWERS)).toBe("again");
    expect(fateOf(safe, answers({ edits: { a: { url: "http://a/right" } } }))).toBe("repeats");
    expect(fateOf(safe, answers({ edits: { a: { url: "http://a/wrong" } } }))).toBe("again");
  });

  it("stays what it was when a refused step is edited", () => {
    expect(fateOf(step("a", "again", "refused", { input: settings }), answers({ edits: { a: { url: "b" } } }))).toBe("again");
  });

  it("is known once somebody has said it", () => {
    const asks = step("a", "asks", "in_doubt");
    expect(fateOf(asks, NO_ANSWERS)).toBe("asks");
    expect(fateOf(asks, answers({ decisions: { a: { decision: "happened", result: "" } } }))).toBe("happened");
    expect(fateOf(asks, answers({ decisions: { a: { decision: "send_again", result: "" } } }))).toBe("sent_again");
  });
});

describe("the plan", () => {
  it("counts what runs again; what happened already does not", () => {
    const one = plan(step("a", "kept"), step("b", "again", "refused"), step("c", "asks", "in_doubt"), step("d", "next"));
    expect(countSteps(one, NO_ANSWERS)).toEqual({ again: 2, next: 1 });
    expect(countSteps(one, answers({ decisions: { c: { decision: "happened", result: "" } } }))).toEqual({ again: 1, next: 1 });
  });

  it("is short where many steps in a row are kept", () => {
    const kept = (count: number) => Array.from({ length: count }, (_, at) => step(`k${at}`, "kept"));
    expect(planLines([...kept(3), step("b", "again")]).map((line) => line.kind)).toEqual(["step", "step", "step", "step"]);
    const [fold, last] = planLines([...kept(12), step("b", "again")]);
    expect(fold).toMatchObject({ kind: "fold", fate: "kept" });
    expect(fold?.kind === "fold" && fold.steps.length).toBe(12);
    expect(last).toMatchObject({ kind: "step" });
  });
});

describe("what is left to say", () => {
  const one = plan(
    step("a", "repeats", "happened"),
    step("b", "asks", "in_doubt"),
    step("c", "again", "same_key", { input: settings }),
  );

  it("is a yes for each repetition and a word for each step in doubt", () => {
    expect([...missingIn(one, NO_ANSWERS)]).toEqual([["a", "repeat"], ["b", "decision"]]);
    const said = answers({ repeats: ["a"], decisions: { b: { decision: "send_again", result: "" } } });
    expect(missingIn(one, said).size).toBe(0);
  });

  it("is one more for a step that became a repetition by an edit", () => {
    expect(missingIn(one, answers({ edits: { c: { tries: "4" } } })).get("c")).toBe("repeat");
  });

  it("does not ask for settings before a step in doubt is to be sent again", () => {
    const doubt = step("b", "asks", "in_doubt", { input: settings });
    expect(isEditable(doubt, NO_ANSWERS)).toBe(false);
    expect(isEditable(doubt, answers({ decisions: { b: { decision: "happened", result: "" } } }))).toBe(false);
    expect(isEditable(doubt, answers({ decisions: { b: { decision: "send_again", result: "" } } }))).toBe(true);
  });

  it("is a value that can be read", () => {
    const said = answers({ edits: { c: { tries: "x" } }, decisions: { b: { decision: "happened", result: "{" } } });
    expect(missingIn(one, said).get("b")).toBe("result");
    expect(missingIn(one, said).get("c")).toBe("settings");
  });
});

describe("what is sent", () => {
  it("names the plan and holds whole settings, decisions with their result, and repetitions", () => {
    const one = plan(step("a", "again", "refused", { input: settings }), step("b", "asks", "in_doubt"), step("c", "repeats", "happened"));
    const said = answers({
      edits: { a: { url: "http://a/right" }, gone: { x: "1" } },
      decisions: { b: { decision: "happened", result: '{"id": 7}' }, gone: { decision: "send_again", result: "" } },
      repeats: ["c", "gone"],
    });
    expect(requestOf(one, said, ["c"], 2)).toEqual({
      plan: "plan",
      start: ["c"],
      version: 2,
      edits: { a: { ...(settings as object), url: "http://a/right" } },
      decisions: { b: { decision: "happened", output: { id: 7 } } },
      repeats: ["c"],
    });
  });

  it("edits nothing of a step that happened", () => {
    const one = plan(step("b", "asks", "in_doubt", { input: settings }));
    const said = answers({ edits: { b: { url: "x" } }, decisions: { b: { decision: "happened", result: " " } } });
    expect(requestOf(one, said, [], null)).toMatchObject({ edits: {}, decisions: { b: { decision: "happened", output: null } } });
  });
});

it("the server's sentences stand at their steps", () => {
  expect(sentencesByStep({ "steps.a": ["No."], plan: ["Old."] })).toEqual({ a: ["No."] });
});

it("what was sent is told by its outermost fields", () => {
  expect(shortFacts({ method: "POST", body: { a: 1 }, headers: {}, note: "" })).toEqual([
    { name: "method", text: "POST" },
    { name: "body", text: '{"a":1}' },
  ]);
});

it("attempts stand by go, the newest first", () => {
  const attempts = [{ generation: 1, attempt: 1 }, { generation: 1, attempt: 2 }, { generation: 2, attempt: 1 }];
  expect(byGo(attempts).map(({ go, attempts: own }) => [go, own.map((one) => one.attempt)])).toEqual([[2, [1]], [1, [2, 1]]]);
});

describe("what the other system has already", () => {
  const asked = plan(step("pay", "again", "refused", { asks: "ERP" }), step("after", "next"));

  it("is sent again only where somebody says so", () => {
    const found = answers({ found: { pay: "happened" } });
    expect([...missingIn(asked, found)]).toEqual([["pay", "twice"]]);
    expect(missingIn(asked, { ...found, twice: ["pay"] }).size).toBe(0);
    expect(missingIn(asked, answers({ found: { pay: "did_not_happen" } })).size).toBe(0);
  });

  it("needs no such word where it is taken over", () => {
    const doubted = plan(step("pay", "asks", "in_doubt", { asks: "ERP" }));
    const taken = answers({ found: { pay: "happened" }, decisions: { pay: { decision: "happened", result: '{"id":1}' } } });
    expect(missingIn(doubted, taken).size).toBe(0);
    const again = answers({ found: { pay: "happened" }, decisions: { pay: { decision: "send_again", result: "" } } });
    expect([...missingIn(doubted, again)]).toEqual([["pay", "twice"]]);
  });
});
