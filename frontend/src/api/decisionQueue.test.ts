import { beforeEach, expect, test, vi } from "vitest";

import { ApiError, NetworkError } from "../ui/requestErrors";
import { type Became, enqueue, type Queued, readQueue, readRefusal, sendQueued, unqueue, useQueue } from "./decisionQueue";

const { store, post, session } = vi.hoisted(() => ({
  store: new Map<string, unknown>(),
  post: vi.fn(),
  session: { user: { id: "ines" } as { id: string } | null },
}));

vi.mock("./kept", () => ({
  keep: async (key: string, value: unknown) => void store.set(key, value),
  drop: async (key: string) => void store.delete(key),
  allUnder: async (prefix: string) => [...store].filter(([key]) => key.startsWith(prefix)).map(([, value]) => value),
}));
vi.mock("./client", async () => ({
  ...(await import("../ui/requestErrors")),
  api: { post },
  refreshSession: async () => session,
}));
vi.mock("./queries", () => ({ workspacePath: (id: string) => `/workspaces/${id}` }));

const decision = (task: string, changes: Partial<Queued> = {}): Queued => ({
  user: "ines",
  workspace: "w",
  task,
  title: `Invoice ${task}`,
  answer: { outcome: "approved", comment: "", answers: {}, output: null },
  key: `key-${task}`,
  at: Number(task),
  ...changes,
});

async function send(): Promise<Became[]> {
  const told: Became[] = [];
  await sendQueued("ines", (became) => told.push(became));
  return told;
}

beforeEach(() => {
  store.clear();
  post.mockReset();
  session.user = { id: "ines" };
  useQueue.setState({ queued: {}, refused: [] });
});

test("what waits is sent once, in its order, each with its own key, and is gone then", async () => {
  await enqueue(decision("2"));
  await enqueue(decision("1"));
  post.mockResolvedValue({ id: "1" });
  expect((await send()).map((one) => one.queued.task)).toEqual(["1", "2"]);
  expect(post.mock.calls.map(([path, body, options]) => [path, body.undo, options.idempotencyKey])).toEqual([
    ["/workspaces/w/inbox/1/decide", true, "key-1"],
    ["/workspaces/w/inbox/2/decide", true, "key-2"],
  ]);
  expect(store.size).toBe(0);
  expect(await send()).toEqual([]);
});

test("what gets no answer stays and is tried again with the same key", async () => {
  await enqueue(decision("1"));
  for (const error of [new NetworkError(null), new ApiError(503, {}), new ApiError(401, {}), new ApiError(429, {})]) {
    post.mockRejectedValueOnce(error);
    expect(await send()).toEqual([]);
  }
  expect(Object.keys(useQueue.getState().queued)).toEqual(["1"]);
  post.mockResolvedValueOnce({ id: "1" });
  expect(await send()).toHaveLength(1);
  expect(new Set(post.mock.calls.map(([, , options]) => options.idempotencyKey))).toEqual(new Set(["key-1"]));
});

test("what somebody else has decided meanwhile is told of, also after the page was closed, until it was read", async () => {
  await enqueue(decision("1"));
  post.mockRejectedValueOnce(new ApiError(409, { code: "already_decided", params: { by: "Omar" } }));
  const [became] = await send();
  expect(became?.error?.code).toBe("already_decided");
  expect(useQueue.getState().queued).toEqual({});
  useQueue.setState({ queued: {}, refused: [] });
  await readQueue("ines");
  expect(useQueue.getState().refused[0]?.error?.params).toEqual({ by: "Omar" });
  await readRefusal("1");
  expect(store.size).toBe(0);
});

test("nobody sends what somebody else has decided on this computer", async () => {
  await enqueue(decision("1", { user: "omar" }));
  expect(await send()).toEqual([]);
  await readQueue("ines");
  expect(useQueue.getState().queued).toEqual({});
  await enqueue(decision("2"));
  session.user = { id: "omar" };
  expect(await send()).toEqual([]);
  expect(post).not.toHaveBeenCalled();
});

test("what is taken back before it was sent is never sent", async () => {
  await enqueue(decision("1"));
  await unqueue("1");
  expect(await send()).toEqual([]);
  expect(post).not.toHaveBeenCalled();
  expect(store.size).toBe(0);
});
