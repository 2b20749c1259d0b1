import { describe, expect, it } from "vitest";
import { changesBetween, merge } from "../diff";
import { same } from "../same";
import { downstreamOf, earlierSteps, indexOf, isBehindFailure, upstreamOf } from "../indexes";
import { layout } from "../layout";
import { layoutRequest } from "../layoutClient";
import { outline, type OutlineRow } from "../outline";
import { portLabel, portOffsets, portsOf } from "../ports";
import { dataRows, pathLabel, typeOf, valueAt } from "../samples";
import { fieldsOf, isShown, resolveSchema, valueOf, words } from "../schema";
import { CARD, normaliseDocument } from "../types";
import { walk } from "../walk";
import { branching, edge, graph, large, node, specs } from "./fixtures";

describe("order", () => {
  it("every link goes forward in the order of the flow", () => {
    const document = large(60);
    const { place } = indexOf(document);
    for (const link of document.edges) expect((place.get(link.source) ?? 0) < (place.get(link.target) ?? 0)).toBe(true);
    expect(indexOf(document)).toBe(indexOf(document));
  });

  it("knows what comes before and after, nearest first", () => {
    const document = branching();
    expect([...upstreamOf(document, "a")].sort()).toEqual(["check", "start"]);
    expect([...downstreamOf(document, "check")].sort()).toEqual(["a", "end"]);
    expect(earlierSteps(document, "end").map((step) => step.id)).toEqual(["a", "check", "start"]);
  });

  it("knows where an error can be used", () => {
    const document = graph([node("a"), node("b"), node("c")], [edge("a", "b", "error"), edge("b", "c")]);
    expect(isBehindFailure(document, "c")).toBe(true);
    expect(isBehindFailure(document, "a")).toBe(false);
  });
});

describe("outline", () => {
  const text = (rows: OutlineRow[], depth = 0): string[] =>
    rows.flatMap((row) => [
      `${"  ".repeat(depth)}${row.kind === "way" ? `[${row.failure ? "fails" : row.label}]` : row.kind === "goto" ? `→${row.node}` : row.node}`,
      ...(row.kind === "goto" ? [] : text(row.children, depth + 1)),
    ]);

  it("shows branches as groups and the place where they meet once", () => {
    expect(text(outline(branching(), specs))).toEqual(["start", "check", "  [Yes]", "    a", "  [No]", "end"]);
  });

  it("shows failure paths below the step and names a step reached again", () => {
    const document = graph([node("s", "trigger.webhook@1"), node("a"), node("b"), node("c")], [edge("s", "a"), edge("a", "b"), edge("a", "c", "error"), edge("c", "b")]);
    expect(text(outline(document, specs))).toEqual(["s", "a", "  []", "  [fails]", "    c", "b"]);
  });

  it("holds every step exactly once, also on a circle", () => {
    const document = graph([node("a"), node("b"), node("c")], [edge("a", "b"), edge("b", "c"), edge("c", "a")]);
    const seen = text(outline(document, specs)).map((line) => line.trim()).filter((line) => !line.startsWith("→") && !line.startsWith("["));
    expect(seen.sort()).toEqual(["a", "b", "c"]);
  });
});

describe("arrow keys", () => {
  it("walk along the links and beside them", () => {
    const document = branching();
    document.nodes.push(node("side", "http.request@1", { position: { x: 160, y: 256 } }));
    const shown = { ...document };
    expect(walk(shown, specs, "start", "down")).toBe("check");
    expect(walk(shown, specs, "check", "down")).toBe("end");
    expect(walk(shown, specs, "end", "up")).toBe("check");
    expect(walk(shown, specs, "a", "right")).toBe("side");
    expect(walk(shown, specs, "side", "left")).toBe("a");
    expect(walk(shown, specs, "start", "up")).toBeNull();
  });
});

describe("tidy up", () => {
  it("places later steps lower, covers none, and keeps the yes on the left", () => {
    const document = branching();
    const places = layout(layoutRequest(document, specs));
    for (const link of document.edges) expect((places[link.source]?.y ?? 0) < (places[link.target]?.y ?? 0)).toBe(true);
    const list = Object.values(places);
    list.forEach((a, at) => list.slice(at + 1).forEach((b) => expect(Math.abs(a.x - b.x) >= CARD.width || Math.abs(a.y - b.y) >= CARD.height).toBe(true)));
    expect((places["a"]?.x ?? 0) <= (places["end"]?.x ?? 0)).toBe(true);
    expect(places["start"]).toEqual({ x: 0, y: 0 });
  });

  it("sets separate flows side by side in the order they had", () => {
    const document = graph([node("b", "trigger.webhook@1", { position: { x: 900, y: 0 } }), node("a", "trigger.webhook@1")]);
    const places = layout(layoutRequest(document, specs));
    expect((places["a"]?.x ?? 0) + CARD.width < (places["b"]?.x ?? 0)).toBe(true);
  });
});

describe("ports", () => {
  it("come from the type or from the cases of the configuration", () => {
    const step = node("s", "flow.switch@1", { config: { cases: [{ id: "c1", name: "One" }, { name: "No id" }, 3] } });
    expect(portsOf(specs["flow.switch@1"], step.config).map((port) => port.id)).toEqual(["c1", "case_2", "otherwise"]);
    expect(portLabel(specs["flow.switch@1"], step, "c1")).toBe("One");
    expect(portLabel(specs["http.request@1"], node("a"), "out")).toBe("");
    expect(portsOf(undefined, {}).map((port) => port.id)).toEqual(["out"]);
  });

  it("stand evenly and inside the card", () => {
    expect(portOffsets(2, 284)).toEqual([-40, 40]);
    expect(portOffsets(3, 284)).toEqual([-100, 0, 100]);
    expect(Math.max(...portOffsets(9, 284))).toBeLessThan(142);
  });
});

describe("schema", () => {
  it("unwraps optional fields and references", () => {
    const root = { $defs: { Kind: { enum: ["a"] } }, properties: { kind: { anyOf: [{ $ref: "#/$defs/Kind" }, { type: "null" }], title: "Kind" } } };
    expect(resolveSchema({ anyOf: [{ type: "string" }, { type: "null" }], title: "T" }, {})).toEqual({ schema: { type: "string", title: "T" }, nullable: true });
    expect(fieldsOf(root)[0]).toMatchObject({ title: "Kind", nullable: true, schema: { enum: ["a"] } });
  });

  it("orders fields, shows those that apply, falls back to defaults", () => {
    const fields = fieldsOf(specs["http.request@1"]?.config_schema ?? {});
    expect(fields[0]?.name).toBe("url");
    const body = fields.find((field) => field.name === "body");
    expect(body && isShown(body, fields, {})).toBe(false);
    expect(body && isShown(body, fields, { method: "POST" })).toBe(true);
    const method = fields.find((field) => field.name === "method");
    expect(method && valueOf(method, {})).toBe("GET");
    expect(words("firstFilled_value")).toBe("First Filled value");
  });
});

describe("samples", () => {
  it("are rows with labels, types and expressions", () => {
    const rows = dataRows("steps", "order", { total: 12.5, lines: [{ "unit price": 3 }], due: "2026-11-20", ok: true });
    expect(rows.map((row) => [row.expression, row.type, row.depth])).toEqual([
      ["steps.order.total", "number", 0],
      ["steps.order.lines", "list", 0],
      ["steps.order.lines[0]", "object", 1],
      [`steps.order.lines[0]["unit price"]`, "number", 2],
      ["steps.order.due", "date", 0],
      ["steps.order.ok", "bool", 0],
    ]);
  });

  it("are found by path and named in words", () => {
    expect(valueAt({ body: { items: [{ x: 1 }] } }, ["body", "items", 0, "x"])).toBe(1);
    expect(valueAt({ a: 1 }, ["a", "b"])).toBeUndefined();
    expect(pathLabel(["body", "total"])).toBe("Total");
    expect(pathLabel(["body", "customer", "email_address"])).toBe("Customer › Email address");
    expect(pathLabel(["lines", 0])).toBe("Lines › #1");
    expect([typeOf("0049"), typeOf("12"), typeOf(null), typeOf("x")]).toEqual(["text", "number", "empty", "text"]);
  });
});

describe("changes in words", () => {
  it("name what was added, removed, changed and moved", () => {
    const before = branching();
    const after = branching();
    after.nodes = after.nodes.filter((step) => step.id !== "a");
    after.edges = after.edges.filter((link) => link.source !== "a" && link.target !== "a");
    after.nodes.push(node("new"));
    const end = after.nodes.find((step) => step.id === "end");
    if (end) Object.assign(end, { config: { url: "https://y.example" }, position: { x: 1, y: 1 }, settings: { timeout_seconds: 9 } });
    const found = changesBetween(before, after, specs);
    expect(found.map((change) => change.label.key).sort()).toEqual(["change.added", "change.field", "change.moved", "change.removed", "change.settings"]);
    expect(found.find((change) => change.label.key === "change.field")?.label.params).toMatchObject({ field: "Address", before: "https://x.example", after: "https://y.example" });
    expect(changesBetween(before, branching(), specs)).toEqual([]);
  });
});

describe("two people at once", () => {
  const edit = (id: string, url: string) => {
    const document = branching();
    const step = document.nodes.find((other) => other.id === id);
    if (step) step.config = { url };
    return document;
  };

  it("edits of different steps go together", () => {
    const { document, conflicts } = merge(branching(), edit("a", "mine"), edit("end", "theirs"));
    expect(conflicts).toEqual([]);
    expect(document.nodes.map((step) => step.config["url"])).toEqual([undefined, undefined, "mine", "theirs"]);
  });

  it("edits of the same step are a conflict, with ours kept", () => {
    const { document, conflicts } = merge(branching(), edit("a", "mine"), edit("a", "theirs"));
    expect(conflicts).toEqual(["a"]);
    expect(document.nodes[2]?.config["url"]).toBe("mine");
  });

  it("a move and a change of the same step go together", () => {
    const mine = branching();
    const moved = mine.nodes[2];
    if (moved) moved.position = { x: 80, y: 80 };
    const { document, conflicts } = merge(branching(), mine, edit("a", "theirs"));
    expect(conflicts).toEqual([]);
    expect(document.nodes[2]).toMatchObject({ position: { x: 80, y: 80 }, config: { url: "theirs" } });
  });

  it("a step they removed and we changed is a conflict; links to removed steps go", () => {
    const theirs = branching();
    theirs.nodes = theirs.nodes.filter((step) => step.id !== "a");
    theirs.edges = theirs.edges.filter((link) => link.source !== "a" && link.target !== "a");
    expect(merge(branching(), edit("a", "mine"), theirs).conflicts).toEqual(["a"]);
    const { document } = merge(branching(), edit("end", "mine"), theirs);
    expect(document.nodes.some((step) => step.id === "a")).toBe(false);
    expect(document.edges.every((link) => link.source !== "a" && link.target !== "a")).toBe(true);
  });

  it("equality does not mind the order of keys", () => {
    expect(same({ a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1 })).toBe(true);
    expect(same([1, 2], [2, 1])).toBe(false);
    expect(same({ a: undefined }, {})).toBe(true);
  });

  it("documents of others are completed, not trusted", () => {
    const document = normaliseDocument({ nodes: [{ id: "a", key: "a", name: "A", type: "x@1" } as never], edges: [{ id: "e", source: "a", target: "b" } as never] });
    expect(document.nodes[0]).toMatchObject({ config: {}, settings: {}, position: { x: 0, y: 0 } });
    expect(document.edges[0]).toMatchObject({ sourceHandle: "out", targetHandle: "in" });
  });
});
