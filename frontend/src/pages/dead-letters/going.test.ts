import { describe, expect, it } from "vitest";

import { goesOnOlder } from "./going";

const held = (name: string, version: number, live: number | null) => ({ workflow: { id: name, name }, version, live });

describe("a bulk retry that is held to versions", () => {
  it("goes on with an older one where another is live by now, not where that is live or none is", () => {
    const older = held("Payments", 2, 3);
    expect(goesOnOlder({ held_to: [held("Orders", 1, 1), older, held("Stopped", 1, null)] })).toEqual([older]);
  });
});
