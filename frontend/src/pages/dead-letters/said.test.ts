import { describe, expect, it } from "vitest";

import { lettersUrl } from "../../api/letterGroups";
import type { DeadLetterGroup } from "../../api/types";
import { expected, isTicket, ticketName, withSaid } from "./said";

const SAID = {
  revision: 3,
  note: "Old.",
  ticket: "",
  noted_at: null,
  noted_by: null,
  muted: true,
  muted_at: "2026-11-29T08:00:00.000Z",
  muted_until: null,
  muted_by: "Bo",
};
const group = (cause: string) => ({ cause, said: SAID }) as DeadLetterGroup;

describe("what is said about a group", () => {
  it("is put into the list at once, and into no other group", () => {
    const list = { items: [group("a"), group("b")], count: 2, last_solved: null };
    const next = expected(SAID, { note: " New. ", ticket: " https://x.example/1 ", revision: 3 }, "Ines", "2026-11-30T09:00:00.000Z");
    const found = withSaid(list, "b", next);
    expect(found?.items[0]).toBe(list.items[0]);
    expect(found?.items[1]?.said).toMatchObject({ note: "New.", ticket: "https://x.example/1", noted_by: "Ines", revision: 4, muted: true });
    expect(list.items[1]?.said).toBe(SAID);
  });

  it("changes no list that the group is not in", () => {
    const list = { items: [group("a")], count: 1, last_solved: null };
    expect(withSaid(list, "b", SAID)).toBe(list);
    expect(withSaid(undefined, "b", SAID)).toBeUndefined();
  });
});

describe("a ticket", () => {
  it.each(["https://tickets.example.org/ERP-4711", "https://x.example", "https://x.example/?a=b@c"])("is %s", (text) => {
    expect(isTicket(text)).toBe(true);
  });

  it.each(["http://x.example/1", "javascript:alert(1)", "https:/x.example", "https://", "ERP-4711", "https://a@x.example/", "https://x.example/a b", "https:\\\\x.example", `https://x.example/${"a".repeat(500)}`])(
    "is not %s",
    (text) => {
      expect(isTicket(text)).toBe(false);
    },
  );

  it("is called by the end of its address", () => {
    expect(ticketName("https://tickets.example.org/browse/ERP-4711?tab=log")).toBe("tickets.example.org · ERP-4711");
    expect(ticketName("https://tickets.example.org/")).toBe("tickets.example.org");
  });
});

describe("the address of a file", () => {
  it("names runs so shortly that two hundred of them fit", () => {
    const runs = Array.from({ length: 200 }, (_, at) => `01a22abf-02bc-7289-9573-${String(at).padStart(12, "0")}`);
    const url = lettersUrl("01a22abf-02bc-7289-9573-5aa51f856315", "csv", { runs });
    expect(url).toContain("01a22abf02bc72899573000000000000");
    expect(url.length).toBeLessThan(8_000);
  });

  it("leaves out what is not said", () => {
    expect(lettersUrl("w", "json", {})).toBe("/api/v1/workspaces/w/dead-letters/export?format=json");
    expect(lettersUrl("w", "csv", { cause: "c1" })).toContain("format=csv&cause=c1");
  });
});
