import { expect, it } from "vitest";

import type { StoredFile } from "../../api/files";
import { referenceTo } from "./FilePicker";

const FILE: StoredFile = {
  id: "0199a7f0-0000-7000-8000-0000000000f1", name: "May.csv", mime: "text/csv", size: 34, sha256: "0".repeat(64),
  created_at: "2026-11-28T09:00:00Z", created_by: "Alice", workflow_id: null, workflow_name: null, run_id: null, node: null, step: null,
};

it("a chosen file is kept as data refers to it, and its name is no formula", () => {
  const { id, mime, size, sha256 } = FILE;
  expect(referenceTo(FILE)).toEqual({ id, name: "May.csv", mime, size, sha256 });
  expect(referenceTo({ ...FILE, name: "{{ trigger }}.csv" })).toMatchObject({ name: "{ { trigger }}.csv" });
});
