import { renderHook } from "@testing-library/react";
import { beforeAll, describe, expect, it } from "vitest";

import { i18n } from "../../i18n";
import type { RunEvent } from "./events";
import { useEventWords } from "./eventWords";

beforeAll(async () => {
  await i18n.loadNamespaces(["runs", "happenings", "trail"]);
});

const deed = (verb: string, said: RunEvent["said"] = {}): RunEvent => ({
  id: "1", at: 0, kind: "decided", status: "done", node: "ask", name: "Ask", detail: null, attempt: 0, by: "Ines", deed: verb, about: "Pay R-7?", said,
});

describe("what people did, in words", () => {
  it("calls an answer by the builder's own name, or else by its usual one", () => {
    const { say, detail } = renderHook(() => useEventWords((node) => node)).result.current;
    expect(detail(deed("task.decided", { outcome: "approved", called: "Release the payment" }))).toBe("Release the payment");
    expect(detail(deed("task.decided", { outcome: "approved" }))).toBe("Approved");
    expect(say(deed("task.reminded"))).toBe("Those who are asked “Pay R-7?” were reminded, by Ines");
  });
});
