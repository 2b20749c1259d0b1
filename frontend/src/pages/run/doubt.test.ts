import { describe, expect, it } from "vitest";

import { doubtOf, keyOf, sentOf } from "./doubt";

const looked = (found: string) => ({ at: "2026-11-20T09:41:07.123Z", found });
const tried = (in_doubt: Record<string, unknown> | undefined, status = "succeeded") =>
  ({ status, request: { method: "POST", ...(in_doubt && { in_doubt }) } }) as Parameters<typeof doubtOf>[0];

describe("a try of which nobody knew whether it happened", () => {
  it("says what the last look-up found, and keeps all of them", () => {
    const looks = [looked("could_not_tell"), looked("happened")];
    expect(doubtOf(tried({ policy: "look_up", found: "happened", looked: looks }))).toEqual({ said: "happened", looked: looks });
    expect(doubtOf(tried({ policy: "look_up", found: "did_not_happen" }, "failed"))).toEqual({ said: "did_not_happen", looked: [] });
  });

  it("says what a person said, beside what the look-ups said before", () => {
    expect(doubtOf(tried({ policy: "ask_human", looked: [looked("could_not_tell")] }))?.said).toBe("it_happened");
    expect(doubtOf(tried({ policy: "ask_human" }, "abandoned"))?.said).toBe("send_again");
    expect(doubtOf(tried({ policy: "retry_same_key" }))?.said).toBe("same_key");
  });

  it("says nothing of any other try", () => {
    expect(doubtOf(tried(undefined))).toBeNull();
    expect(doubtOf({ status: "failed", request: null })).toBeNull();
  });

  it("shows what was sent without it", () => {
    expect(sentOf({ method: "POST", in_doubt: { policy: "look_up" } })).toEqual({ method: "POST" });
    expect(sentOf({ in_doubt: {} })).toBeNull();
    expect(sentOf("text")).toBe("text");
  });
});

describe("the key of a try that can be looked up", () => {
  const attempt = (request: Parameters<typeof keyOf>[1], effect_class = "queryable") => ({ effect_key: "run/pay/1", effect_class, request });
  const sent = { sent: "sent", key: "run/pay/1" };

  it("was sent where it stands among the headers, whatever the settings leave out", () => {
    expect(keyOf(attempt({ method: "POST", headers: { "Idempotency-Key": "run/pay/1" } }), { url: "https://books" })).toEqual(sent);
    expect(keyOf(attempt({ method: "POST", headers: { "Idempotency-Key": "their own" } }), { url: "https://books", send_key: true })).toEqual({ sent: "not_sent" });
  });

  it("goes by the settings where nobody could write down what was sent, and those send one unless they say otherwise", () => {
    expect(keyOf(attempt(null), { url: "https://books" })).toEqual(sent);
    expect(keyOf(attempt({ in_doubt: {} }), { url: "https://books", send_key: true })).toEqual(sent);
    expect(keyOf(attempt(null), { url: "https://books", send_key: false })).toEqual({ sent: "not_sent" });
  });

  it("was not sent with a file that is saved, which no key can go with", () => {
    expect(keyOf(attempt(null), { path: "/out/a.pdf", exists: "fail" })).toEqual({ sent: "not_sent" });
    expect(keyOf(attempt(null, "natural"), { url: "https://books" })).toEqual({ sent: "same_result" });
  });
});
