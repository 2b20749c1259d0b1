import { describe, expect, it } from "vitest";
import { newId } from "../ids";
import { isKey, makeKey, makeName, slug } from "../keys";

describe("step keys", () => {
  it("are made from the name", () => {
    expect(slug("Is the total over €10,000?")).toBe("is_the_total_over_10_000");
    expect(slug("Prüfe Größe")).toBe("pruefe_groesse");
    expect(slug("3 tries")).toBe("step_3_tries");
    expect(slug("会計")).toBe("step");
  });

  it("are unique without regard to case and never a word of the formula language", () => {
    expect(makeKey("Post line", ["POST_LINE", "post_line_2"])).toBe("post_line_3");
    expect(makeKey("Trigger", [])).toBe("trigger_2");
    expect(isKey("post_line")).toBe(true);
    expect(isKey("steps")).toBe(false);
    expect(isKey("Post")).toBe(false);
  });

  it("always fit what the document allows", () => {
    for (const name of ["", "x".repeat(300), "__a__", "Ünïcödé", "1", "a b\tc"]) expect(isKey(makeKey(name, []))).toBe(true);
  });

  it("count names up", () => {
    expect(makeName("Decision", ["decision", "Decision 2"])).toBe("Decision 3");
    expect(makeName("Decision", [])).toBe("Decision");
  });

  it("ids do not repeat", () => {
    expect(new Set(Array.from({ length: 500 }, () => newId("n"))).size).toBe(500);
  });
});
