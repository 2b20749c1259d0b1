import { describe, expect, it } from "vitest";

import type { Run } from "../../api/types";
import { cancelWords } from "./cancelled";

const by = (who: string) => ({ at: "2026-11-27T10:00:00Z", by: who, reason: "" });

describe("who cancelled a run", () => {
  it("is a person by name, a program, or somebody who is not known any more", () => {
    const words = (who: string) => cancelWords({ status: "cancelled", cancelled: by(who) });
    expect(["Alice", "api", "run", "schedule", ""].map(words)).toEqual([
      "cancelled.by.person", "cancelled.by.api", "cancelled.by.run", "cancelled.by.schedule", "cancelled.by.somebody",
    ]);
  });

  it("is said as a wish while the run has not ended, and of what is undone for it", () => {
    const words = (status: Run["status"]) => cancelWords({ status, cancelled: by("Alice") });
    expect(words("running")).toBe("cancelled.asked.person");
    expect(words("compensated")).toBe("cancelled.by.person");
  });

  it("is not said of a run that nobody cancelled, or that had ended before", () => {
    expect(cancelWords({ status: "cancelled", cancelled: null })).toBeNull();
    expect(cancelWords({ status: "completed", cancelled: by("Alice") })).toBeNull();
    expect(cancelWords({ status: "dead_lettered", cancelled: by("Alice") })).toBeNull();
  });
});
