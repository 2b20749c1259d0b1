import { describe, expect, it } from "vitest";
import { check, mergeProblems } from "../check";
import { possibleTargets, refusal } from "../rules";
import { emptyDocument, type Problem } from "../types";
import { branching, edge, graph, large, node, specs } from "./fixtures";

const codes = (document: Parameters<typeof check>[0]): string[] => check(document, specs).map((problem) => `${problem.severity}:${problem.code}:${problem.node ?? ""}`);
const why = (document: Parameters<typeof refusal>[0], source: string, target: string, sourceHandle = "out"): string | undefined =>
  refusal(document, specs, { source, sourceHandle, target, targetHandle: "in" })?.key;

describe("the check while editing", () => {
  it("finds nothing in a sound workflow", () => {
    expect(check(branching(), specs)).toEqual([]);
    expect(check(emptyDocument(), specs)).toEqual([]);
  });

  it("finds a missing start, unconnected steps and open ways", () => {
    expect(codes(graph([node("a")]))).toContain("error:graph.no_start:");
    expect(codes(graph([node("s", "trigger.webhook@1"), node("a")]))).toEqual(["warning:node.unreachable:a"]);
    expect(codes(graph([node("s", "trigger.webhook@1"), node("d", "flow.decision@1")], [edge("s", "d")]))).toEqual(["hint:node.leads_nowhere:d"]);
  });

  it("finds circles, links into a start, links by ways that do not exist, links to nowhere", () => {
    const circle = graph([node("s", "trigger.webhook@1"), node("a"), node("b")], [edge("s", "a"), edge("a", "b"), edge("b", "a")]);
    expect(codes(circle)).toContain("error:graph.cycle:a");
    expect(codes(graph([node("s", "trigger.webhook@1"), node("a")], [edge("s", "a"), edge("a", "s")]))).toContain("error:edge.into_start:s");
    expect(codes(graph([node("s", "trigger.webhook@1"), node("a")], [edge("s", "a", "maybe")]))).toContain("error:edge.unknown_port:s");
    expect(codes(graph([node("s", "trigger.webhook@1")], [edge("s", "gone")]))).toContain("error:edge.dangling:s");
  });

  it("finds keys that two steps share, whatever their case, and unknown types", () => {
    const document = graph([node("s", "trigger.webhook@1"), node("a", "none@9", { key: "S" })], [edge("s", "a")]);
    expect(codes(document)).toEqual(["error:node.duplicate_key:a", "error:field.format:a", "error:node.type_unknown:a"]);
  });

  it("finds empty required fields, also those that only show later, and values out of bounds", () => {
    const document = (config: Record<string, never> | object) =>
      graph([node("s", "trigger.webhook@1"), node("a", "http.request@1", { config: config as never })], [edge("s", "a")]);
    expect(check(document({}), specs)[0]).toMatchObject({ code: "required", field: "url", params: { label: "Address" } });
    expect(check(document({ url: "x", method: "POST" }), specs)[0]).toMatchObject({ code: "required", field: "body" });
    expect(check(document({ url: "x", seconds: 99 }), specs)[0]).toMatchObject({ code: "invalid", params: { reason: "maximum", limit: 60 } });
    expect(check(document({ url: "{{ trigger.body.url }}" }), specs)).toEqual([]);
  });

  it("finds data of steps that are gone or do not come before", () => {
    const document = branching();
    const a = document.nodes[2];
    if (a) a.config = { url: "{{ steps.end.x }}{{ steps.nobody.y }}{{ steps.check.z }}" };
    expect(check(document, specs).map((problem) => problem.code)).toEqual(["reference.not_before", "reference.step_missing"]);
  });

  it("warns of a failure path that is chosen but not drawn, and of the error where no failure leads", () => {
    const document = branching();
    const a = document.nodes[2];
    if (a) a.settings = { on_failure: "error_port" };
    expect(codes(document)).toEqual(["warning:failure.path_missing:a"]);
    const end = document.nodes[3];
    if (end) end.config = { url: "{{ error.message }}" };
    expect(codes({ ...document })).toContain("warning:reference.no_error:end");
  });

  it("takes a few milliseconds for 500 steps", () => {
    const document = large(500);
    const since = performance.now();
    check(document, specs);
    expect(performance.now() - since).toBeLessThan(400);
  });
});

describe("problems from both sides", () => {
  const problem = (code: string, step: string | null, field: string | null = null, link: string | null = null): Problem => ({
    severity: "error", code, message: "m", node: step, edge: link, field, params: {},
  });
  const shown = (own: Problem[], server: Problem[], changed = true): string[] => mergeProblems(own, server, changed, branching()).map((found) => found.code);

  it("on a saved document the server has the last word", () => {
    expect(shown([problem("required", "a", "url")], [], false)).toEqual([]);
    expect(shown([], [problem("required", "a", "url"), problem("invalid", "a", "url")], false)).toEqual(["required"]);
  });

  it("on a changed document nothing is said twice, and what is put right is not said any more", () => {
    const link = branching().edges[0]?.id ?? "";
    const server = [
      problem("graph.no_start", null), problem("node.not_connected", "a"), problem("reference.itself", "a", "body[0].value"),
      problem("edge.unknown_port", "a", "sourceHandle", link), problem("required", "a", "url"), problem("failure.path_missing", "end", "settings.on_failure"),
    ];
    expect(shown([], server)).toEqual(["required"]);
    expect(shown([problem("node.unreachable", "a"), problem("reference.not_before", "a", "body.0.value"), problem("required", "a", "url")], server)).toEqual([
      "node.unreachable", "reference.not_before", "required",
    ]);
  });

  it("keeps what only the server can find as long as it is about something that is there", () => {
    const server = [problem("conditions", "end", "conditions"), problem("x", "gone"), problem("edge.duplicate", null, null, "gone")];
    expect(shown([problem("required", "a", "url")], server)).toEqual(["required", "conditions"]);
  });
});

describe("drawing links", () => {
  it("only goes forward", () => {
    const document = branching();
    expect(why(document, "end", "check")).toBe("refusal.circle");
    expect(why(document, "a", "a")).toBe("refusal.self");
    expect(why(document, "a", "start")).toBe("refusal.intoStart");
    expect(why(document, "a", "end")).toBe("refusal.exists");
    expect(why(document, "check", "a", "no")).toBeUndefined();
    expect(why(document, "check", "a", "maybe")).toBe("refusal.noSuchPort");
    expect(why(document, "start", "a", "error")).toBe("refusal.noErrorPort");
    expect(why(document, "check", "a", "undo")).toBe("refusal.undoNothing");
    expect(why(document, "nobody", "a")).toBe("refusal.missing");
  });

  it("gives a failure one target and keeps to one side of a border", () => {
    const document = branching();
    document.edges.push(edge("a", "end", "error"));
    document.nodes.push(node("other"), node("inner", "http.request@1", { parent: "box" }));
    expect(why({ ...document }, "a", "other", "error")).toBe("refusal.oneErrorTarget");
    expect(why({ ...document }, "a", "inner")).toBe("refusal.border");
  });

  it("lists the steps a link may lead to", () => {
    expect(possibleTargets(branching(), specs, "check", "no")).toEqual(["a"]);
  });
});
