import { describe, expect, it } from "vitest";

import { ApiError } from "./client";
import { saidOfCode } from "./secondFactor";

const refused = (code: string, status = 401) => new ApiError(status, { code, title: "No." });

describe("what a refused sign-in says of the code", () => {
  it("tells a wrong code from one that nobody can look at", () => {
    expect(saidOfCode(refused("code_needed"))).toBe("needed");
    expect(saidOfCode(refused("wrong_code"))).toBe("wrong");
    expect(saidOfCode(refused("key_missing"))).toBe("recoveryOnly");
  });

  it("is nothing of what was refused for something else", () => {
    expect(saidOfCode(refused("wrong_credentials"))).toBeNull();
    expect(saidOfCode(refused("key_missing", 409))).toBeNull();
    expect(saidOfCode(new Error("away"))).toBeNull();
  });
});
