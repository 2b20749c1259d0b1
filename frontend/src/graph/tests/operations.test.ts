import { describe, expect, it } from "vitest";
import { check } from "../check";
import { copySteps, readSteps } from "../clipboard";
import * as operations from "../operations";
import { branching, edge, graph, node, specs } from "./fixtures";

const links = (document: { edges: { source: string; sourceHandle: string; target: string }[] }): string[] =>
  document.edges.map((link) => `${link.source}.${link.sourceHandle}>${link.target}`).sort();

describe("deleting", () => {
  it("heals the chain", () => {
    const document = graph([node("a", "trigger.webhook@1"), node("x"), node("b")], [edge("a", "x"), edge("x", "b")]);
    operations.removeSteps(document, specs, new Set(["x"]));
    expect(links(document)).toEqual(["a.out>b"]);
  });

  it("heals through several steps in a row and keeps the branch", () => {
    const document = branching();
    operations.removeSteps(document, specs, new Set(["a"]));
    expect(links(document)).toEqual(["check.no>end", "check.yes>end", "start.out>check"]);
  });

  it("does not guess where a decision had several ways on", () => {
    const document = branching();
    operations.removeSteps(document, specs, new Set(["check"]));
    expect(links(document)).toEqual(["a.out>end"]);
  });

  it("forgets the failure path whose target is gone, together with the setting", () => {
    const document = graph([node("a"), node("b")], []);
    operations.addLink(document, "a", "error", "b");
    expect(document.nodes[0]?.settings.on_failure).toBe("error_port");
    operations.removeSteps(document, specs, new Set(["b"]));
    expect(document.nodes[0]?.settings.on_failure).toBeUndefined();
  });

  it("names the steps that use the data of the deleted ones", () => {
    const document = graph([node("a"), node("b", "http.request@1", { config: { url: "{{ steps.a.body.x }}" } }), node("c")]);
    expect(operations.usersOf(document, new Set(["a"])).map((user) => user.id)).toEqual(["b"]);
    expect(operations.usersOf(document, new Set(["a", "b"]))).toEqual([]);
  });

  it("steps that use the start, or data in their fallback, count as users too", () => {
    const document = branching();
    const [, decision, a, end] = document.nodes;
    if (a) a.config = { url: "{{ trigger.body.url }}" };
    if (end) end.settings = { on_failure: "continue", fallback: { note: "{{ steps.a.text }}" } };
    expect(operations.usersOf(document, new Set(["start"])).map((user) => user.id)).toEqual(["a"]);
    expect(operations.usersOf(document, new Set(["a"])).map((user) => user.id)).toEqual(["end"]);
    expect(operations.usersOf(document, new Set([decision?.id ?? ""]))).toEqual([]);
  });

  it("copies read the fallback from the copies", () => {
    const document = branching();
    const [, , a, end] = document.nodes;
    if (!a || !end) throw new Error("no such steps");
    end.settings = { on_failure: "continue", fallback: "{{ steps.a.text }}" };
    operations.addCopies(document, [a, end], [], { x: 0, y: 0 });
    expect(document.nodes.at(-1)?.settings.fallback).toBe(`{{ steps.${document.nodes.at(-2)?.key}.text }}`);
  });
});

describe("inserting", () => {
  it("puts a step into a link and moves what follows out of the way", () => {
    const document = graph([node("a", "trigger.webhook@1"), node("b", "http.request@1", { position: { x: 0, y: 128 } })], [edge("a", "b")]);
    document.nodes.push(node("x", "http.request@1", { position: { x: 0, y: 128 } }));
    operations.insertIntoLink(document, specs, "a-out-b", "x");
    expect(links(document)).toEqual(["a.out>x", "x.out>b"]);
    expect(document.nodes.find((step) => step.id === "b")?.position.y).toBe(256);
  });

  it("moves nothing when there is room", () => {
    const document = graph([node("a"), node("b", "http.request@1", { position: { x: 0, y: 600 } })], [edge("a", "b")]);
    operations.makeRoomBelow(document, specs, "a");
    expect(document.nodes[1]?.position.y).toBe(600);
  });

  it("uses the first way of a decision and ends at a step without a way on", () => {
    const document = graph([node("a"), node("b")], [edge("a", "b")]);
    document.nodes.push(node("d", "flow.decision@1"), node("s", "flow.stop@1"));
    operations.insertIntoLink(document, specs, "a-out-b", "d");
    expect(links(document)).toContain("d.yes>b");
    const stopped = graph([node("a"), node("b"), node("s", "flow.stop@1")], [edge("a", "b")]);
    operations.insertIntoLink(stopped, specs, "a-out-b", "s");
    expect(links(stopped)).toEqual(["a.out>s"]);
  });

  it("finds a free way out before it splits a link", () => {
    const document = branching();
    expect(operations.wayAfter(document, specs, node("end"))).toEqual({ handle: "out", edge: null });
    expect(operations.wayAfter(document, specs, document.nodes[0] as never)).toMatchObject({ edge: { target: "check" } });
  });

  it("never places a card on another one", () => {
    const document = graph([node("a"), node("b", "http.request@1", { position: { x: 320, y: 0 } })]);
    const place = operations.freePlace(document, { specs, parent: null }, { x: 3, y: 5 });
    expect(place).toEqual({ x: 640, y: 8 });
  });
});

describe("names and keys", () => {
  it("a rename takes the key and every reference along", () => {
    const document = graph([
      node("a", "http.request@1", { name: "Get order", key: "get_order" }),
      node("b", "http.request@1", { config: { url: "{{ steps.get_order.body.id }}" }, settings: { fallback: { x: "{{ steps.get_order.y }}" } } }),
    ]);
    operations.renameStep(document, "a", "Read order");
    expect(document.nodes[0]).toMatchObject({ name: "Read order", key: "read_order" });
    expect(document.nodes[1]?.config["url"]).toBe("{{ steps.read_order.body.id }}");
    expect(document.nodes[1]?.settings.fallback).toEqual({ x: "{{ steps.read_order.y }}" });
  });

  it("leaves a key alone that somebody chose", () => {
    const document = graph([node("a", "http.request@1", { name: "Get order", key: "order" })]);
    operations.renameStep(document, "a", "Read order");
    expect(document.nodes[0]?.key).toBe("order");
  });
});

describe("copies", () => {
  it("get new ids and keys, keep inner links and point at each other", () => {
    const document = graph([node("a"), node("b", "http.request@1", { config: { url: "{{ steps.a.x }} {{ steps.z.y }}" } }), node("z")], [edge("a", "b"), edge("b", "z")]);
    const found = readSteps(copySteps(document, new Set(["a", "b"])));
    expect(found?.edges).toHaveLength(1);
    const ids = operations.addCopies(document, found?.nodes ?? [], found?.edges ?? [], { x: 320, y: 0 });
    const copy = document.nodes.find((step) => step.id === ids.get("b"));
    const first = document.nodes.find((step) => step.id === ids.get("a"));
    expect(copy?.config["url"]).toBe(`{{ steps.${first?.key}.x }} {{ steps.z.y }}`);
    expect(new Set(document.nodes.map((step) => step.key)).size).toBe(document.nodes.length);
    expect(document.edges.some((link) => link.source === ids.get("a") && link.target === ids.get("b"))).toBe(true);
  });

  it("refuse anything that is not steps", () => {
    for (const text of ["", "hello", "{}", `{"kind":"millrace/steps"}`, `{"kind":"millrace/steps","nodes":[{"id":1}],"edges":[]}`]) expect(readSteps(text)).toBeNull();
  });
});

describe("settings", () => {
  it("a removed case takes its link along", () => {
    const document = graph(
      [node("s", "flow.switch@1", { config: { cases: [{ id: "c1", name: "One" }, { id: "c2", name: "Two" }] } }), node("a"), node("b")],
      [edge("s", "a", "c1"), edge("s", "b", "otherwise")],
    );
    operations.setConfig(document, specs, "s", "cases", [{ id: "c2", name: "Two" }]);
    expect(links(document)).toEqual(["s.otherwise>b"]);
  });

  it("undefined removes a value, and switching off is a toggle of all", () => {
    const document = graph([node("a", "http.request@1", { settings: { disabled: true } }), node("b")]);
    operations.setSettings(document, "a", { timeout_seconds: 5 });
    operations.setSettings(document, "a", { timeout_seconds: undefined });
    expect(document.nodes[0]?.settings).toEqual({ disabled: true });
    operations.toggleDisabled(document, new Set(["a", "b"]));
    expect(document.nodes.map((step) => step.settings.disabled)).toEqual([true, true]);
    operations.toggleDisabled(document, new Set(["a", "b"]));
    expect(document.nodes.map((step) => step.settings.disabled)).toEqual([undefined, undefined]);
  });

  it("no edit leaves a link without its ends", () => {
    const document = branching();
    operations.removeSteps(document, specs, new Set(["start", "end"]));
    expect(check(document, specs).some((problem) => problem.code === "edge.dangling")).toBe(false);
  });
});
