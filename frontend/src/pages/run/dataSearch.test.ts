import { describe, expect, it } from "vitest";

import { parseExact } from "../../graph/exact";
import { findIn, inputPath, outputPath, placeOf } from "./dataSearch";

const words = (name: string) => name.replaceAll("_", " ");
const data = {
  body: { supplier: "Brinkmann Papier", total: parseExact("13412.80"), lines: [{ account_no: "4930", paid: true }, { account_no: "4980", paid: false }] },
  iban: { $masked: ["output", "iban"] },
  none: null,
};
const found = (text: string) => findIn(data, text, words);

describe("looking for something in a step's values", () => {
  it("finds values and names, in words too, without their case", () => {
    expect([...(found("brinkmann")?.fits ?? [])]).toEqual([placeOf(["body", "supplier"])]);
    expect(found("13412.8")?.hits).toBe(1);
    expect(found("account no")?.hits).toBe(2);
    expect(found("ACCOUNT_NO")?.hits).toBe(2);
  });

  it("shows what fits, what that is inside of, and all that is inside it, at its own place", () => {
    const second = found("4980")?.shows;
    expect([...(second ?? [])].sort()).toEqual([[], ["body"], ["body", "lines"], ["body", "lines", 1], ["body", "lines", 1, "account_no"]].map(placeOf).sort());
    expect(found("lines")?.shows.has(placeOf(["body", "lines", 0, "paid"]))).toBe(true);
  });

  it("never looks into a sensitive value, nor at what marks it", () => {
    expect(found("$masked")?.hits).toBe(0);
    expect(found("output")?.hits).toBe(0);
    expect(found("••••")?.hits).toBe(0);
    // Its name is no secret: it stands beside the dots.
    expect([...(found("iban")?.fits ?? [])]).toEqual([placeOf(["iban"])]);
  });

  it("looks for nothing where nothing was typed", () => {
    expect(found("  ")).toBeNull();
    expect(found("nowhere")).toEqual({ hits: 0, fits: new Set(), shows: new Set() });
  });
});

describe("how the editor writes a value", () => {
  it("that came out of a step or a start", () => {
    expect(outputPath({ key: "order" }, false, ["body", "lines", 1, "account no"])).toBe('{{ steps.order.body.lines[1]["account no"] }}');
    expect(outputPath({ key: "start" }, true, ["body", "total"])).toBe("{{ trigger.body.total }}");
  });

  it("that went in, where the step takes it from one place", () => {
    const config = { url: "{{ steps.order.url }}", body: "{{trigger.body}}", headers: [{ name: "X", value: "{{ run.id }}" }], sum: "{{ trigger.a + trigger.b }}", text: "No. {{ trigger.no }}", typed: "plain", deep: { x: 1 } };
    const path = (...at: (string | number)[]) => inputPath({ config } as never, at);
    expect(path("url")).toBe("{{ steps.order.url }}");
    expect(path("body", "lines", 0, "total")).toBe("{{ trigger.body.lines[0].total }}");
    expect(path("headers", 0, "value")).toBe("{{ run.id }}");
    for (const at of [["sum"], ["text"], ["typed"], ["deep", "x"], ["nowhere"], ["headers", "value"], ["constructor"]]) expect(path(...at)).toBeNull();
  });
});
