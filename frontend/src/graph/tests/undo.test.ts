import { describe, expect, it } from "vitest";
import { addStep, connect } from "../actions";
import { check } from "../check";
import { copySteps, readSteps } from "../clipboard";
import { changesBetween } from "../diff";
import { createEditorStore } from "../editorStore";
import { downstreamOf, earlierSteps, indexOf, upstreamOf } from "../indexes";
import { layout } from "../layout";
import { layoutRequest } from "../layoutClient";
import * as operations from "../operations";
import { outline, type OutlineRow } from "../outline";
import { portLabel } from "../ports";
import { possibleTargets, refusal } from "../rules";
import { CARD, type GraphDocument, type GraphNode } from "../types";
import { hasUndoPort, undoneStepOf, undoStepOf, undoTurns, writesOutside } from "../undo";
import { edge, graph, node, specs } from "./fixtures";

const post = (id: string, more: Partial<GraphNode> = {}): GraphNode => node(id, "http.request@1", { config: { url: "https://x.example", method: "POST", body: { a: 1 } }, ...more });

/** start → book → mail; unbook undoes book, unmail undoes mail */
function undoable(): GraphDocument {
  return graph(
    [
      node("start", "trigger.webhook@1"),
      post("book", { position: { x: 0, y: 128 } }),
      post("mail", { position: { x: 0, y: 256 } }),
      post("unbook", { position: { x: 348, y: 128 } }),
      post("unmail", { position: { x: 348, y: 256 } }),
    ],
    [edge("start", "book"), edge("book", "mail"), edge("book", "unbook", "undo"), edge("mail", "unmail", "undo")],
  );
}

function changed(change: (document: GraphDocument) => void): GraphDocument {
  const document = undoable();
  change(document);
  return document;
}

const step = (document: GraphDocument, id: string): GraphNode => document.nodes.find((other) => other.id === id) as GraphNode;
const links = (document: GraphDocument): string[] => document.edges.map((link) => `${link.source}.${link.sourceHandle}>${link.target}`).sort();
const codes = (document: GraphDocument): string[] => check(document, specs).map((problem) => `${problem.severity}:${problem.code}:${problem.node ?? ""}:${problem.edge ?? problem.field ?? ""}`);
const why = (document: GraphDocument, source: string, target: string, sourceHandle = "out"): string | undefined =>
  refusal(document, specs, { source, sourceHandle, target, targetHandle: "in" })?.key;

describe("undo steps", () => {
  it("are no part of the way forward, and come last in the order in which they undo", () => {
    const document = undoable();
    expect(indexOf(document).order).toEqual(["start", "book", "mail", "unmail", "unbook"]);
    expect(downstreamOf(document, "start")).toEqual(new Set(["book", "mail"]));
    expect(undoStepOf(document, "book")?.id).toBe("unbook");
    expect(undoneStepOf(document, "unmail")?.id).toBe("mail");
    expect(hasUndoPort(document, specs, "book")).toBe(true);
    expect(hasUndoPort(document, specs, "unbook")).toBe(false);
    expect(hasUndoPort(document, specs, "start")).toBe(false);
    expect(portLabel(specs["http.request@1"], step(document, "book"), "undo")).toBe("");
  });

  it("read what they undo and what came before it, and nothing later", () => {
    const document = changed((draft) => {
      step(draft, "unbook").config["url"] = "{{ steps.book.body.id }}{{ trigger.body.x }}";
      step(draft, "unmail").config["url"] = "{{ steps.book.body.id }}{{ steps.mail.body.id }}";
    });
    expect(earlierSteps(document, "unmail").map((other) => other.id)).toEqual(["mail", "book", "start"]);
    expect(upstreamOf(document, "unbook")).toEqual(new Set(["book", "start"]));
    expect(check(document, specs)).toEqual([]);
    step(document, "unbook").config["url"] = "{{ steps.mail.body.id }}";
    expect(codes({ ...document })).toEqual(["error:reference.not_before:unbook:url"]);
    expect(operations.usersOf(changed((draft) => void (step(draft, "unbook").config["url"] = "{{ trigger.body.x }}")), new Set(["start"])).map((user) => user.id)).toEqual(["unbook"]);
  });

  it("stand in the outline under what they undo", () => {
    const text = (rows: readonly OutlineRow[]): string => rows.map((row) => `${row.node}${row.kind === "way" ? `.${row.handle}` : ""}${row.kind !== "goto" && row.children.length > 0 ? `(${text(row.children)})` : ""}`).join(" ");
    expect(text(outline(undoable(), specs))).toBe("start book(book.undo(unbook)) mail(mail.undo(unmail))");
  });

  it("are listed in the order of undoing", () => {
    const document = changed((draft) => {
      draft.nodes.push(post("last"), node("look"));
      draft.edges.push(edge("mail", "look"), edge("look", "last"));
      step(draft, "mail").settings.undo = "nothing";
      draft.edges = draft.edges.filter((link) => link.target !== "unmail");
    });
    expect(undoTurns(document, specs, "last").map((turn) => [turn.action.id, turn.by?.id, turn.open])).toEqual([
      ["last", undefined, true], ["mail", undefined, false], ["book", "unbook", false],
    ]);
  });

  it("are known to change something by their method or their type", () => {
    const spec = specs["http.request@1"];
    expect(writesOutside(spec, node("a"))).toBe(false);
    expect(writesOutside(spec, post("a"))).toBe(true);
    expect(spec && writesOutside({ ...spec, name: "email.send", effect: "unsafe" }, node("a"))).toBe(true);
    expect(writesOutside(specs["flow.decision@1"], node("a", "flow.decision@1"))).toBe(false);
  });
});

describe("drawing undo links", () => {
  const free = (): GraphDocument => changed((draft) => {
    draft.edges = draft.edges.filter((link) => link.target !== "unmail");
    draft.nodes.push(node("decide", "flow.decision@1"));
  });

  it("leads from an action to an action that has no other links", () => {
    const document = free();
    expect(why(document, "mail", "unmail", "undo")).toBeUndefined();
    expect(possibleTargets(document, specs, "mail", "undo")).toEqual(["unmail"]);
    expect(why(document, "mail", "mail", "undo")).toBe("refusal.undoSelf");
    expect(why(document, "start", "unmail", "undo")).toBe("refusal.undoNothing");
    expect(why(document, "mail", "decide", "undo")).toBe("refusal.undoNoAction");
    expect(why(document, "mail", "start", "undo")).toBe("refusal.undoNoAction");
    expect(why(document, "mail", "book", "undo")).toBe("refusal.undoInFlow");
    expect(why(document, "mail", "unbook", "undo")).toBe("refusal.undoTaken");
    expect(why(document, "book", "unmail", "undo")).toBe("refusal.undoTwice");
    expect(why(document, "book", "unbook", "undo")).toBe("refusal.exists");
  });

  it("nothing else leads to an undo step or on from it", () => {
    const document = free();
    expect(why(document, "mail", "unbook")).toBe("refusal.undoInto");
    expect(why(document, "unbook", "unmail")).toBe("refusal.undoLeadsOn");
    expect(why(document, "unbook", "unmail", "error")).toBe("refusal.undoLeadsOn");
    expect(why(document, "unbook", "unmail", "undo")).toBe("refusal.undoLeadsOn");
  });

  it("takes back what was said before, and what an undo step cannot do", () => {
    const document = free();
    step(document, "mail").settings.undo = "nothing";
    step(document, "unmail").settings = { on_failure: "continue", fallback: {}, timeout_seconds: 5 };
    operations.addLink(document, "mail", "undo", "unmail");
    expect(step(document, "mail").settings).toEqual({});
    expect(step(document, "unmail").settings).toEqual({ timeout_seconds: 5 });
    operations.setNothingToUndo(document, "mail", true);
    expect(step(document, "mail").settings.undo).toBe("nothing");
    expect(links(document)).not.toContain("mail.undo>unmail");
  });
});

describe("the check of undo steps", () => {
  it("finds nothing in a sound drawing", () => {
    expect(check(undoable(), specs)).toEqual([]);
  });

  it("finds what else is linked to them", () => {
    expect(codes(changed((draft) => void draft.edges.push(edge("mail", "unbook"))))).toEqual(["error:undo.into_flow:unbook:mail-out-unbook"]);
    expect(codes(changed((draft) => {
      draft.nodes.push(node("after"));
      draft.edges.push(edge("unbook", "after"));
    }))).toEqual(["error:undo.leads_on:unbook:unbook-out-after", "warning:node.unreachable:after:"]);
    expect(codes(changed((draft) => void draft.edges.push(edge("book", "unmail", "undo"))))).toEqual([
      "error:undo.twice:book:book-undo-unmail", "error:undo.into_flow:unmail:book-undo-unmail",
    ]);
  });

  it("finds steps that cannot undo or be undone", () => {
    expect(codes(changed((draft) => void (step(draft, "unbook").type = "flow.decision@1")))).toContain("error:undo.not_an_action:unbook:book-undo-unbook");
    const decision = changed((draft) => {
      draft.nodes.push(node("decide", "flow.decision@1"), post("undecide"));
      draft.edges.push(edge("mail", "decide"), edge("decide", "undecide", "undo"));
    });
    expect(codes(decision)).toEqual(["error:edge.undo_unsupported:decide:decide-undo-undecide", "hint:node.leads_nowhere:decide:"]);
    const found = check(changed((draft) => void (step(draft, "book").settings.undo = "nothing")), specs);
    expect(found).toMatchObject([{ code: "undo.contradiction", node: "book", field: "settings.undo", params: { step: "BOOK" } }]);
  });

  it("warns of what stays done, once anything is undone at all", () => {
    const without = changed((draft) => void (draft.edges = draft.edges.filter((link) => link.sourceHandle !== "undo")));
    without.nodes = without.nodes.slice(0, 3);
    expect(check({ ...without }, specs)).toEqual([]);
    step(without, "mail").settings.on_failure = "undo";
    expect(codes({ ...without })).toEqual(["warning:undo.missing:book:settings.undo", "warning:undo.missing:mail:settings.undo"]);
    step(without, "book").settings.undo = "nothing";
    step(without, "mail").settings.disabled = true;
    expect(codes({ ...without })).toEqual([]);
  });

  it("warns of undo steps that are switched off or say what happens if they fail", () => {
    const document = changed((draft) => {
      step(draft, "unbook").settings = { disabled: true };
      step(draft, "unmail").settings = { on_failure: "error_port" };
    });
    expect(codes(document)).toEqual(["warning:undo.switched_off:unbook:settings.disabled", "warning:undo.failure_setting:unmail:settings.on_failure"]);
  });
});

describe("editing with undo steps", () => {
  it("deleting a step takes its undo link along and nothing else", () => {
    const document = undoable();
    operations.removeSteps(document, specs, new Set(["book"]));
    expect(links(document)).toEqual(["mail.undo>unmail", "start.out>mail"]);
    operations.removeSteps(document, specs, new Set(["unmail"]));
    expect(links(document)).toEqual(["start.out>mail"]);
  });

  it("an undo step is set right of its action, in the same row", () => {
    const store = createEditorStore();
    const document = changed((draft) => {
      draft.nodes = draft.nodes.slice(0, 4);
      draft.edges = draft.edges.slice(0, 3);
    });
    store.open({ document, specs });
    const spec = specs["http.request@1"];
    if (!spec) throw new Error("no type");
    const id = addStep(store, spec, { kind: "after", source: "mail", handle: "undo" });
    const { document: now, announcement } = store.getState();
    expect(step(now, id).position).toEqual({ x: CARD.width + CARD.undoGap, y: 256 });
    expect(undoneStepOf(now, id)?.id).toBe("mail");
    expect(announcement?.key).toBe("announce.addedUndo");
    // Who goes on from an undo step means what follows its action.
    const next = addStep(store, spec, { kind: "after", source: id });
    expect(links(store.getState().document)).toContain(`mail.out>${next}`);
    expect(connect(store, next, "out", id)?.key).toBe("refusal.undoInto");
  });

  it("rows that make room take their undo steps along", () => {
    const document = undoable();
    document.nodes.push(post("x", { position: { x: 0, y: 128 } }));
    operations.insertIntoLink(document, specs, "start-out-book", "x");
    expect(["book", "unbook", "mail", "unmail"].map((id) => step(document, id).position.y)).toEqual([256, 256, 384, 384]);
  });

  it("copies keep the link when both are copied", () => {
    const found = readSteps(copySteps(undoable(), new Set(["book", "unbook"])));
    const document = graph([]);
    operations.addCopies(document, found?.nodes ?? [], found?.edges ?? [], { x: 0, y: 0 });
    expect(document.edges).toHaveLength(1);
    expect(undoStepOf({ ...document }, document.nodes[0]?.id ?? "")?.name).toBe("UNBOOK");
  });

  it("changes are named", () => {
    const label = (before: GraphDocument, after: GraphDocument): string[] => changesBetween(before, after, specs).map((change) => change.label.key);
    const without = changed((draft) => {
      draft.nodes = draft.nodes.filter((other) => other.id !== "unmail");
      draft.edges = draft.edges.filter((link) => link.target !== "unmail");
    });
    expect(label(without, undoable())).toEqual(["change.addedUndo"]);
    const unlinked = changed((draft) => void (draft.edges = draft.edges.filter((link) => link.target !== "unmail")));
    expect(label(unlinked, undoable())).toEqual(["change.undoLinked"]);
    expect(label(undoable(), unlinked)).toEqual(["change.undoUnlinked"]);
    const nothing = changed((draft) => void (step(draft, "mail").settings.undo = "nothing"));
    expect(label(undoable(), nothing)).toEqual(["change.undoNothing"]);
    expect(label(nothing, undoable())).toEqual(["change.undoOpen"]);
  });
});

describe("tidy up with undo steps", () => {
  it("sets them beside their actions and covers nothing", () => {
    const document = graph(
      [node("start", "trigger.webhook@1"), node("check", "flow.decision@1"), post("a"), post("b"), post("end"), post("una"), post("unb"), post("unend")],
      [
        edge("start", "check"), edge("check", "a", "yes"), edge("check", "b", "no"), edge("a", "end"), edge("b", "end"),
        edge("a", "una", "undo"), edge("b", "unb", "undo"), edge("end", "unend", "undo"),
      ],
    );
    const places = layout(layoutRequest(document, specs));
    for (const [action, by] of [["a", "una"], ["b", "unb"], ["end", "unend"]] as const) {
      expect(places[by]).toEqual({ x: (places[action]?.x ?? 0) + CARD.width + CARD.undoGap, y: places[action]?.y });
    }
    const list = Object.values(places);
    expect(list).toHaveLength(8);
    list.forEach((a, at) => list.slice(at + 1).forEach((b) => expect(Math.abs(a.x - b.x) >= CARD.width || Math.abs(a.y - b.y) >= CARD.height).toBe(true)));
  });
});
