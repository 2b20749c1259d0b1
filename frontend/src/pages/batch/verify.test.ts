import { webcrypto } from "node:crypto";

import { beforeAll, describe, expect, it, vi } from "vitest";

import { readManifest, sha256, verify } from "./verify";

const bytesOf = (text: string) => new TextEncoder().encode(text);

async function manifestOf(files: Record<string, string>) {
  const entries = await Promise.all(
    Object.entries(files).map(async ([name, text], at) => ({ seq: at + 1, key: `K${at + 1}`, files: [{ name, size: text.length, sha256: await sha256(bytesOf(text)) }] })),
  );
  const body = [{ millrace: "manifest" }, ...entries].map((one) => `${JSON.stringify(one)}\n`).join("");
  return bytesOf(`${body}${JSON.stringify({ end: true, sha256: await sha256(bytesOf(body)) })}\n`);
}

describe("a manifest in the browser", () => {
  // A page that came safely has it; the test's page has not.
  beforeAll(() => void vi.stubGlobal("crypto", webcrypto));

  it("is read, and its digest is of all lines before the last", async () => {
    const found = await readManifest(await manifestOf({ "a.pdf": "one", "b.pdf": "two" }));
    expect(found.entries.map((one) => one.seq)).toEqual([1, 2]);
    expect(found.sha256).toBe(found.said);
  });

  it("tells that a line was changed", async () => {
    const bytes = await manifestOf({ "a.pdf": "one" });
    const changed = bytesOf(new TextDecoder().decode(bytes).replace("K1", "K2"));
    const found = await readManifest(changed);
    expect(found.sha256).not.toBe(found.said);
  });

  it("names what is missing and what was changed", async () => {
    const kept: Record<string, string> = { "a.pdf": "one", "b.pdf": "twO" };
    const manifest = await readManifest(await manifestOf({ "a.pdf": "one", "b.pdf": "two", "c.pdf": "three" }));
    const told: number[] = [];
    const fetch = (file: { name: string }) => Promise.resolve(kept[file.name] === undefined ? null : bytesOf(kept[file.name] as string).buffer);
    const found = await verify(manifest, fetch, (done) => told.push(done), new AbortController().signal);
    expect(found).toMatchObject({ checked: 3, missing: [{ name: "c.pdf", seq: 3, key: "K3" }], changed: [{ name: "b.pdf", seq: 2, key: "K2" }] });
    expect(told.at(-1)).toBe(3);
  });
});
