import { describe, expect, it } from "vitest";

import { choicesOf, matching, partsOf } from "./people";

const all = choicesOf(
  {
    people: [
      { member: "1", name: "Ines Kaya", email: "ines@example.com", admin: false },
      { member: "2", name: "", email: "omar@example.com", admin: false },
    ],
    groups: [{ id: "g", name: "Finance", count: 2 }],
  },
  (role) => `All ${role}s`,
);

describe("who is asked", () => {
  it("is read from a list with commas, semicolons and lines", () => {
    expect(partsOf(" ines@example.com; Finance,\n role:admin ,, ")).toEqual(["ines@example.com", "Finance", "role:admin"]);
  });

  it("is found by the beginning of a name first, then by any part", () => {
    const values = (text: string, chosen: string[] = []) => matching(all, chosen, text).map((one) => one.value);
    expect(values("fin")).toEqual(["Finance"]);
    expect(values("kaya")).toEqual(["ines@example.com"]);
    expect(values("example")).toEqual(["ines@example.com", "omar@example.com"]);
    expect(values("admin")).toEqual(["role:admin"]);
    expect(values("zzz")).toEqual([]);
    expect(values("", ["FINANCE"])).not.toContain("Finance");
  });
});
