import { describe, expect, it } from "vitest";

import { doubtOf, sentOf } from "./doubt";

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
