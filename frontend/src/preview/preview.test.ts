import { describe, expect, it, vi } from "vitest";

import { Away, bytesOf, density, MOST_PAGES, MOST_PIXELS, pageAt, pagesDrawn, sheetRatio, troubleOf, zoomed, ZOOMS } from "./pages";
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

  it("opens nothing unasked that is large, or that cannot be shown", () => {
    const large = { ...file("Invoice.pdf", "application/pdf"), size: 5_000_001 };
    const small = { ...file("Invoice.PDF"), id: "01890a5d-ac96-774b-bcce-b302099a8058", size: 5_000_000 };
    expect(firstToOpen([large, file("Letter.docx"), small])).toBe(small.id);
    expect(firstToOpen([large, file("Letter.docx")])).toBeNull();
  });
});

describe("a document of many pages", () => {
  it("is at the last page that begins above the middle", () => {
    const tops = [8, 1008, 2008];
    const topOf = (index: number) => tops[index]!;
    expect([0, 500, 1008, 1900, 9000].map((middle) => pageAt(3, topOf, middle))).toEqual([1, 1, 2, 2, 3]);
    expect(pageAt(0, topOf, 100)).toBe(1);
  });

  it("is found its place in with a few looks", () => {
    const topOf = vi.fn((index: number) => index * 1000);
    expect(pageAt(MOST_PAGES, topOf, 1_234_567)).toBe(1235);
    expect(topOf.mock.calls.length).toBeLessThan(13);
  });

  it("has no more sheets than can be drawn, whatever it says of itself", () => {
    expect([1, 200, MOST_PAGES, 500_000_001].map(pagesDrawn)).toEqual([1, 200, MOST_PAGES, MOST_PAGES]);
    expect([0, -1, 1.5, Number.NaN, Infinity, 2 ** 53].map(pagesDrawn)).toEqual([null, null, null, null, null, null]);
  });

  it("has sheets that can be drawn, even where a page is a line", () => {
    expect(sheetRatio(210, 297)).toBe(210 / 297);
    expect(sheetRatio(0.001, 14_400)).toBe(1 / 20);
    expect(sheetRatio(14_400, 0.001)).toBe(20);
    expect(sheetRatio(0, 0)).toBe(210 / 297);
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
    expect(troubleOf("odd")).toBe("damaged");
  });

  it("is that it did not come only where it did not, and never what its reader stumbles over", async () => {
    expect(troubleOf(new TypeError("Cannot read properties of undefined"))).toBe("damaged");
    const told = async () => bytesOf("/file", new AbortController().signal).then(() => "came", troubleOf);
    const loading = vi.spyOn(globalThis, "fetch");
    loading.mockRejectedValueOnce(new TypeError("Failed to fetch"));
    expect(await told()).toBe("away");
    loading.mockResolvedValueOnce(new Response("", { status: 503 }));
    expect(await told()).toBe("away");
    loading.mockResolvedValueOnce(new Response("%PDF-"));
    expect(await told()).toBe("came");
    expect(troubleOf(new Away("503"))).toBe("away");
  });
});
