import { describe, expect, it } from "vitest";

import type { SearchField } from "../../api/runSearch";
import { allColumns, shownColumns, sortsOf } from "./columns";

const fields: SearchField[] = [
  { name: "supplier", label: "Supplier", kind: "text", workflows: [] },
  { name: "total", label: "Total", kind: "amount", workflows: [] },
];

describe("columns of the list of runs", () => {
  it("are the plain ones and the first amount where nobody has chosen", () => {
    expect(shownColumns(null, fields)).toEqual(["status", "run", "field:total", "step", "started", "duration", "who"]);
    expect(shownColumns(undefined, [])).toEqual(["status", "run", "step", "started", "duration", "who"]);
  });
  it("are what was chosen, as far as that is there, and always the run itself", () => {
    expect(shownColumns(["who", "field:gone", "field:supplier"], fields)).toEqual(["run", "field:supplier", "who"]);
    expect(allColumns(fields)).toContain("field:supplier");
  });
  it("sort where there is an order", () => {
    expect(sortsOf("field:total", fields)).toEqual(["largest:total", "smallest:total"]);
    expect(sortsOf("field:supplier", fields)).toBeNull();
    expect(sortsOf("duration", fields)).toEqual(["longest", "shortest"]);
    expect(sortsOf("status", fields)).toBeNull();
  });
});
