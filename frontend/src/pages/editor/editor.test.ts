import { beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, NetworkError } from "../../api/client";
import type { Draft, SavedDraft } from "../../api/types";
import { createEditorStore, type EditorStore, type GraphDocument, NO_HISTORY } from "../../graph";
import { branching, specs } from "../../graph/tests/fixtures";
import { Autosave } from "./autosave";
import { prefilled } from "./prefill";
import { restore } from "./localDraft";
import { findSteps, groupByCategory, newest, suggest } from "./search";

let store: EditorStore;
let server: { graph: GraphDocument; revision: number };
let put: ReturnType<typeof vi.fn<(graph: GraphDocument, revision: number) => Promise<SavedDraft>>>;
let saver: Autosave;

function answer(): SavedDraft {
  return { revision: server.revision, problems: [], summaries: {}, effects: {}, saved_at: "" };
}

function write(url: string, node = 2): void {
  store.edit({ key: "x", params: {} }, (draft) => {
    const step = draft.nodes[node];
    if (step) step.config = { url };
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  server = { graph: branching(), revision: 7 };
  put = vi.fn(async (graph: GraphDocument, revision: number) => {
    if (revision !== server.revision) throw new ApiError(409, { code: "stale" });
    server = { graph, revision: revision + 1 };
    return answer();
  });
  store = createEditorStore();
  store.open({ document: branching(), specs });
  saver = new Autosave(store, 7, {
    put,
    get: async () => ({ ...answer(), graph: server.graph, updated_at: "2026-11-20T09:00:00Z", updated_by: "Ines" }) as Draft,
    remember: () => undefined,
  });
});

const status = (): string => saver.state.getState().status;

describe("saving", () => {
  it("waits until 800 ms after the last change", async () => {
    write("a");
    await vi.advanceTimersByTimeAsync(700);
    write("b");
    await vi.advanceTimersByTimeAsync(700);
    expect(put).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(200);
    expect(put).toHaveBeenCalledTimes(1);
    expect(status()).toBe("saved");
    expect(server.revision).toBe(8);
  });

  it("saves at the latest after 5 s of uninterrupted work", async () => {
    for (let at = 0; at < 12; at += 1) {
      write(`v${at}`);
      await vi.advanceTimersByTimeAsync(500);
    }
    expect(put).toHaveBeenCalled();
  });

  it("says saved only for what the server has: a change during the save is saved after it", async () => {
    let finish: (saved: SavedDraft) => void = () => undefined;
    put.mockImplementationOnce(() => new Promise((resolve) => (finish = resolve)));
    write("a");
    await vi.advanceTimersByTimeAsync(900);
    expect(status()).toBe("saving");
    write("b");
    server.revision = 8;
    finish(answer());
    await vi.advanceTimersByTimeAsync(1000);
    expect(put).toHaveBeenCalledTimes(2);
    expect(status()).toBe("saved");
    expect(server.graph.nodes[2]?.config["url"]).toBe("b");
  });

  it("keeps trying while the server cannot be reached, and never loses the edit", async () => {
    put.mockRejectedValueOnce(new NetworkError(new Error("away")));
    write("a");
    await vi.advanceTimersByTimeAsync(900);
    expect(status()).toBe("offline");
    await vi.advanceTimersByTimeAsync(5100);
    expect(status()).toBe("saved");
    expect(server.graph.nodes[2]?.config["url"]).toBe("a");
  });

  it("shows a refusal until somebody acts", async () => {
    put.mockRejectedValueOnce(new ApiError(422, { detail: "No." }));
    write("a");
    await vi.advanceTimersByTimeAsync(900);
    expect(status()).toBe("failed");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(put).toHaveBeenCalledTimes(1);
    expect(await saver.flush()).toBe(true);
    expect(status()).toBe("saved");
  });

  it("does nothing after it was stopped", async () => {
    saver.stop();
    write("a");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(put).not.toHaveBeenCalled();
  });
});

describe("somebody else saved meanwhile", () => {
  const theirs = (node: number, url: string): void => {
    const graph = branching();
    const step = graph.nodes[node];
    if (step) step.config = { url };
    server = { graph, revision: 9 };
  };

  it("different steps go together without a question", async () => {
    theirs(3, "theirs");
    write("mine");
    await vi.advanceTimersByTimeAsync(3000);
    expect(status()).toBe("saved");
    expect(server.graph.nodes.map((step) => step.config["url"])).toEqual([undefined, undefined, "mine", "theirs"]);
    expect(store.getState().document.nodes[3]?.config["url"]).toBe("theirs");
  });

  it("the same step asks; keeping mine writes it over theirs knowingly, and only it", async () => {
    theirs(2, "theirs");
    const other = server.graph.nodes[3];
    if (other) other.config = { url: "only theirs" };
    write("mine");
    await vi.advanceTimersByTimeAsync(3000);
    expect(status()).toBe("conflict");
    expect(saver.state.getState().theirs).toMatchObject({ by: "Ines", steps: ["a"] });
    expect(server.graph.nodes[2]?.config["url"]).toBe("theirs");
    saver.decide("mine");
    await vi.advanceTimersByTimeAsync(100);
    expect(server.graph.nodes.slice(2).map((step) => step.config["url"])).toEqual(["mine", "only theirs"]);
  });

  it("undo takes back only one's own edits, before and after the merge", async () => {
    write("mine, saved");
    await vi.advanceTimersByTimeAsync(2000);
    // Based on what was saved: a step more, and another one changed.
    const graph = structuredClone(server.graph);
    const step = graph.nodes[3];
    if (step) step.config = { url: "theirs" };
    graph.nodes.push({ ...(graph.nodes[3] as (typeof graph.nodes)[number]), id: "new", key: "new", config: { url: "new" } });
    server = { graph, revision: 9 };
    write("mine, later");
    await vi.advanceTimersByTimeAsync(3000);
    const urls = (): unknown[] => store.getState().document.nodes.slice(2).map((node) => node.config["url"]);
    expect(urls()).toEqual(["mine, later", "theirs", "new"]);
    expect(store.getState().history.past).toHaveLength(2);
    store.undo();
    expect(urls()).toEqual(["mine, saved", "theirs", "new"]);
    store.undo();
    expect(urls()).toEqual(["https://x.example", "theirs", "new"]);
    expect(store.undo()).toBeNull();
    store.redo();
    store.redo();
    expect(urls()).toEqual(["mine, later", "theirs", "new"]);
    await vi.advanceTimersByTimeAsync(3000);
    expect(status()).toBe("saved");
    expect(server.graph).toEqual(store.getState().document);
  });

  it("what one has undone can be done again on top of theirs", async () => {
    write("mine");
    write("mine 2", 3);
    store.undo();
    const graph = branching();
    graph.nodes[0] = { ...(graph.nodes[0] as (typeof graph.nodes)[number]), name: "Theirs" };
    server = { graph, revision: 9 };
    await vi.advanceTimersByTimeAsync(3000);
    store.redo();
    const { nodes } = store.getState().document;
    expect([nodes[0]?.name, nodes[2]?.config["url"], nodes[3]?.config["url"]]).toEqual(["Theirs", "mine", "mine 2"]);
  });

  it("keeping mine can be undone to theirs, and says what the server said of theirs", async () => {
    theirs(2, "theirs");
    write("mine");
    await vi.advanceTimersByTimeAsync(3000);
    saver.decide("mine");
    store.undo();
    expect(store.getState().document.nodes[2]?.config["url"]).toBe("theirs");
    store.redo();
    expect(store.getState().document.nodes[2]?.config["url"]).toBe("mine");
  });

  it("taking theirs brings their summaries and keeps one's edits of other steps", async () => {
    theirs(2, "theirs");
    write("mine");
    write("only mine", 3);
    await vi.advanceTimersByTimeAsync(3000);
    const { theirs: other } = saver.state.getState();
    if (other) other.report = { problems: [], summaries: { a: "GET theirs" }, effects: {} };
    saver.decide("theirs");
    expect(store.getState().summaries).toEqual({ a: "GET theirs" });
    expect(store.getState().document.nodes.slice(2).map((node) => node.config["url"])).toEqual(["theirs", "only mine"]);
  });

  it("taking theirs can be undone", async () => {
    theirs(2, "theirs");
    write("mine");
    await vi.advanceTimersByTimeAsync(3000);
    saver.decide("theirs");
    expect(store.getState().document.nodes[2]?.config["url"]).toBe("theirs");
    expect(status()).toBe("saved");
    store.undo();
    expect(store.getState().document.nodes[2]?.config["url"]).toBe("mine");
  });
});

describe("edits kept on this computer", () => {
  const changed = (url: string): GraphDocument => {
    const graph = branching();
    const step = graph.nodes[2];
    if (step) step.config = { url };
    return graph;
  };
  const kept = (more: object) => ({ revision: 7, document: branching(), saved: branching(), history: NO_HISTORY, at: 0, ...more });

  it("come back when they were never saved", () => {
    expect(restore(branching(), 7, kept({ document: changed("mine") }))).toMatchObject({ unsaved: true, conflicts: [] });
  });

  it("keep what can be undone where the server has saved them and its answer was never seen", () => {
    const entry = { label: { key: "history.edit", params: {} }, patches: [], inverse: [], group: null, at: 0 };
    const history = { past: [entry], future: [] };
    const found = restore(changed("mine"), 8, kept({ document: changed("mine"), history }));
    expect(found).toMatchObject({ unsaved: false, history });
    expect(found.document).toBe(found.saved);
  });

  it("are dropped when the server is further and nothing was unsaved", () => {
    const found = restore(changed("theirs"), 9, kept({}));
    expect(found).toMatchObject({ unsaved: false });
    expect(found.document.nodes[2]?.config["url"]).toBe("theirs");
  });

  it("are merged, or asked about, when both sides went on", () => {
    const other = branching();
    const step = other.nodes[3];
    if (step) step.config = { url: "theirs" };
    expect(restore(other, 9, kept({ document: changed("mine") }))).toMatchObject({ unsaved: true, conflicts: [] });
    expect(restore(changed("theirs"), 9, kept({ document: changed("mine") })).conflicts).toEqual(["a"]);
  });

  it("without any, the server's draft opens as it is", () => {
    const stored = branching();
    expect(restore(stored, 7, null)).toMatchObject({ document: stored, saved: stored, unsaved: false });
  });
});

describe("finding a step type", () => {
  const list = newest({
    ...specs,
    "flow.decision@2": { ...specs["flow.decision@1"], type: "flow.decision@2", version: 2, title: "Decision", synonyms: ["if", "condition", "wenn"] } as never,
  });

  it("offers the newest version only", () => {
    expect(list.filter((spec) => spec.type.startsWith("flow.decision")).map((spec) => spec.type)).toEqual(["flow.decision@2"]);
  });

  it("is a real filter that understands other words", () => {
    expect(findSteps(list, "wenn").map((spec) => spec.title)).toEqual(["Decision"]);
    expect(findSteps(list, "dec")[0]?.title).toBe("Decision");
    expect(findSteps(list, "nothing like it")).toEqual([]);
    expect(findSteps(list, "http req")[0]?.title).toBe("HTTP request");
  });

  it("suggests what followed such a step before, never a start", () => {
    const found = suggest(specs["trigger.webhook@1"], list, [["trigger.webhook@1", "flow.switch@1"]]);
    expect(found[0]?.type).toBe("flow.switch@1");
    expect(found.some((spec) => spec.trigger)).toBe(false);
    expect(groupByCategory(list).map((group) => group.category)).toEqual(["start", "app", "logic", "loop"]);
  });
});

describe("a new step", () => {
  const mail = {
    ...specs["http.request@1"],
    defaults: { zone: "UTC" },
    config_schema: {
      required: ["connection"],
      properties: {
        connection: { type: "string", "x-ui": { widget: "connection", kinds: ["smtp"] } },
        zone: { type: "string", "x-ui": { widget: "timezone" } },
      },
    },
  } as never;

  it("starts with the workspace's time zone and the only connection that fits", () => {
    const found = prefilled(mail, { timeZone: "Europe/Berlin", connections: [{ id: "c1", kind: "smtp" }, { id: "c2", kind: "http_basic" }] });
    expect(found.defaults).toEqual({ zone: "Europe/Berlin", connection: "c1" });
  });

  it("does not choose between two connections", () => {
    const found = prefilled(mail, { timeZone: "UTC", connections: [{ id: "c1", kind: "smtp" }, { id: "c2", kind: "smtp" }] });
    expect(found.defaults).toEqual({ zone: "UTC" });
  });
});
