import { describe, expect, it } from "vitest";

import { localNote } from "../notes";

describe("what a step notes of itself", () => {
  const moment = { dayClock: (at: string) => `<${at}>` };

  it("tells an instant as people of this place write it", () => {
    expect(localNote("Until 2026-11-30 20:27 UTC", moment)).toBe("Until <2026-11-30T20:27Z>");
    expect(localNote("Waited until 2026-11-30T20:27:05.123Z for an answer", moment)).toBe("Waited until <2026-11-30T20:27:05.123Z> for an answer");
  });

  it("is left as it is where no instant stands in it", () => {
    expect(localNote("29 of 30, 1 failed", moment)).toBe("29 of 30, 1 failed");
    expect(localNote("Sets 2026-11-30", moment)).toBe("Sets 2026-11-30");
    expect(localNote(null, moment)).toBeNull();
  });
});
