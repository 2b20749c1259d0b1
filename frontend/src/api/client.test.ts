import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ApiError, api, keyForEach, NetworkError, onSessionEnded, rememberSession, urlOf } from "./client";
import type { Session } from "./types";

function answer(status: number, body: unknown, type = "application/json"): Response {
  return new Response(body === undefined ? null : JSON.stringify(body), { status, headers: { "Content-Type": type } });
}

const session = (token: string): Session => ({
  user: null,
  setup_required: false,
  csrf_token: token,
  workspaces: [],
  version: "0",
});

const send = vi.fn<typeof fetch>();

beforeEach(() => {
  send.mockReset();
  vi.stubGlobal("fetch", send);
  rememberSession(session("first"));
});
afterEach(() => vi.unstubAllGlobals());

function headersOf(call: number): Headers {
  return send.mock.calls[call]?.[1]?.headers as Headers;
}

describe("the API client", () => {
  it("writes lists as repeated parameters and leaves out what is empty", () => {
    expect(urlOf("/runs", { status: ["a", "b"], q: "", cursor: null, limit: 5 })).toBe(
      "/api/v1/runs?status=a&status=b&limit=5",
    );
  });

  it("sends the CSRF token and the repeat key with writes only", async () => {
    send.mockResolvedValueOnce(answer(200, {})).mockResolvedValueOnce(answer(201, {}));
    await api.get("/a");
    await api.post("/b", { x: 1 }, { idempotencyKey: "k" });
    expect(headersOf(0).get("X-CSRFToken")).toBeNull();
    expect(headersOf(1).get("X-CSRFToken")).toBe("first");
    expect(headersOf(1).get("Idempotency-Key")).toBe("k");
  });

  it("turns a problem document into an error with its code, fields and request id", async () => {
    const problem = { title: "No", detail: "Why", code: "invalid", params: { n: 1 }, fields: { name: ["Bad"] }, request_id: "r1" };
    send.mockResolvedValueOnce(answer(422, problem, "application/problem+json"));
    const error = await api.post("/x").catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 422, code: "invalid", fields: { name: ["Bad"] }, requestId: "r1", detail: "Why" });
  });

  it("gets a new token and tries once more when the token was renewed elsewhere", async () => {
    send
      .mockResolvedValueOnce(answer(403, { code: "csrf", title: "No" }, "application/problem+json"))
      .mockResolvedValueOnce(answer(200, session("second")))
      .mockResolvedValueOnce(answer(200, { done: true }));
    await expect(api.post("/x")).resolves.toEqual({ done: true });
    expect(headersOf(2).get("X-CSRFToken")).toBe("second");
  });

  it("tells the shell when the session has ended, except where sign-in itself is refused", async () => {
    const ended = vi.fn();
    const stop = onSessionEnded(ended);
    send.mockImplementation(() => Promise.resolve(answer(401, { code: "sign_in", title: "Sign in first." })));
    await api.get("/x").catch(() => {});
    expect(ended).toHaveBeenCalledOnce();
    await api.post("/session", {}, { quiet: true }).catch(() => {});
    expect(ended).toHaveBeenCalledOnce();
    stop();
  });

  it("asks once more, and calls no session ended, when the session goes on under another key", async () => {
    const ended = vi.fn();
    const stop = onSessionEnded(ended);
    const refused = () => answer(401, { code: "sign_in", title: "Sign in first." });
    send
      .mockResolvedValueOnce(refused())
      .mockResolvedValueOnce(answer(200, { ...session("third"), user: { name: "Vera" } }))
      .mockResolvedValueOnce(answer(200, { done: true }));
    await expect(api.post("/x")).resolves.toEqual({ done: true });
    expect(headersOf(2).get("X-CSRFToken")).toBe("third");
    expect(ended).not.toHaveBeenCalled();
    // The new key arrives a moment later than the refusal.
    send
      .mockResolvedValueOnce(refused())
      .mockResolvedValueOnce(answer(200, session("none")))
      .mockResolvedValueOnce(answer(200, { ...session("later"), user: { name: "Vera" } }))
      .mockResolvedValueOnce(answer(200, { done: true }));
    await expect(api.get("/x")).resolves.toEqual({ done: true });
    expect(ended).not.toHaveBeenCalled();
    // Refused again although somebody is signed in: that is told, and not asked for ever.
    send
      .mockResolvedValueOnce(refused())
      .mockResolvedValueOnce(answer(200, { ...session("fourth"), user: { name: "Vera" } }))
      .mockResolvedValueOnce(refused());
    await expect(api.get("/x")).rejects.toMatchObject({ status: 401 });
    expect(ended).toHaveBeenCalledOnce();
    stop();
  });

  it("calls a server that gives no answer a network error", async () => {
    send.mockRejectedValueOnce(new TypeError("Failed to fetch"));
    await expect(api.get("/x")).rejects.toBeInstanceOf(NetworkError);
  });
});

it("a write sent again has the key it had, until something else is sent", () => {
  const key = keyForEach();
  const first = key({ input: 1 });
  expect(key({ input: 1 })).toBe(first);
  expect(key({ input: 2 })).not.toBe(first);
  expect(keyForEach()({ input: 1 })).not.toBe(first);
});
