import { describe, expect, it } from "vitest";

import { density, MOST_PIXELS, pageAt, troubleOf, zoomed, ZOOMS } from "./pages";
import { fileOf, filesOf, firstToOpen } from "./value";

const file = (name: string, mime = "application/octet-stream") => ({ id: "01890a5d-ac96-774b-bcce-b302099a8057", name, mime, size: 12, sha256: "ab".repeat(32) });

describe("which values are files", () => {
  it("takes the reference that data has, and nothing that looks a little like it", () => {
    expect(fileOf(file("a.pdf"))?.name).toBe("a.pdf");
    expect(fileOf({ ...file("a.pdf"), size: { toString: () => "12" } })?.size).toBe(12);
    for (const other of [null, "a.pdf", [], { ...file("a"), more: 1 }, { ...file("a"), id: "../x" }, { ...file("a"), sha256: "ab" }, { ...file("a"), size: "x" }]) {
      expect(fileOf(other)).toBeNull();
    }
  });

  it("takes none where a part of it is hidden", () => {
    expect(fileOf({ ...file("a"), name: { $masked: ["output", "name"] } })).toBeNull();
  });

  it("takes lists of nothing but files", () => {
    expect(filesOf([file("a"), file("b")]).map((one) => one.name)).toEqual(["a", "b"]);
    expect(filesOf([file("a"), "b"])).toEqual([]);
    expect(filesOf([])).toEqual([]);
    expect(filesOf(undefined)).toEqual([]);
  });

  it("opens the first document or picture unasked", () => {
    const [table, scan] = [file("May.csv"), { ...file("scan.bin", "image/png"), id: "01890a5d-ac96-774b-bcce-b302099a8058" }];
    expect(firstToOpen([table, scan])).toBe(scan.id);
    expect(firstToOpen([table])).toBeNull();
  });
});

describe("a document of many pages", () => {
  it("is at the last page that begins above the middle", () => {
    const tops = [8, 1008, 2008];
    expect([0, 500, 1008, 1900, 9000].map((middle) => pageAt(tops, middle))).toEqual([1, 1, 2, 2, 3]);
    expect(pageAt([], 100)).toBe(1);
  });

  it("grows and shrinks in steps that end", () => {
    expect(zoomed(1, 1)).toBe(1.25);
    expect(zoomed(1, -1)).toBe(0.75);
    expect(zoomed(ZOOMS.at(-1)!, 1)).toBe(3);
    expect(zoomed(ZOOMS[0], -1)).toBe(0.5);
  });

  it("is drawn sharp, and never with more pixels than a page may have", () => {
    expect(density(600, 800, 2)).toBe(2);
    expect(density(600, 800, 0.5)).toBe(1);
    const width = 4000;
    const large = density(width, width * 1.4, 3);
    expect(width * large * width * 1.4 * large).toBeLessThanOrEqual(MOST_PIXELS + 1);
  });
});

describe("why a PDF cannot be shown", () => {
  it("is told by what its reader says", () => {
    const named = (name: string) => Object.assign(new Error("x"), { name });
    expect(troubleOf(named("PasswordException"))).toBe("password");
    expect(troubleOf(named("InvalidPDFException"))).toBe("damaged");
    expect(troubleOf(new TypeError("Failed to fetch"))).toBe("away");
    expect(troubleOf("odd")).toBe("damaged");
  });
});
