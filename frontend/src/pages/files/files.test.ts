import { describe, expect, it } from "vitest";

import { archiveUrl } from "../../api/files";
import { Formatter } from "../../ui";
import { AT_ONCE, begun, changed, next, share } from "../../uploads/queue";
import { endingOf, sortOf } from "../../preview/sorts";
import { shortDigest } from "./words";

describe("what sort of file it is", () => {
  it.each([
    ["May.csv", "text/csv", "table"],
    ["May.XLSX", "application/octet-stream", "table"],
    ["scan", "image/png", "picture"],
    ["No 7.pdf", "application/pdf", "document"],
    ["notes", "text/plain", "text"],
    ["all.zip", "application/zip", "archive"],
    ["thing", "application/x-thing", "other"],
  ] as const)("%s of type %s is a %s", (name, mime, sort) => expect(sortOf({ name, mime })).toBe(sort));

  it("knows endings by their dot", () => {
    expect([endingOf("a.tar.gz"), endingOf("a."), endingOf("csv"), endingOf("x.is no ending")]).toEqual(["gz", "", "", ""]);
    expect(shortDigest("0123456789abcdef")).toBe("01234567");
  });
});

describe("how large a file is", () => {
  it.each([
    ["en-US", 0, "0 bytes"],
    ["en-US", 812, "812 bytes"],
    ["en-US", 1_449, "1.4 kB"],
    ["en-US", 24_000, "24 kB"],
    ["en-US", 999_499, "999 kB"],
    ["en-US", 999_500, "1 MB"],
    ["de-DE", 1_449_000, "1,4 MB"],
    ["de-DE", 123_456_789, "123 MB"],
    ["en-US", 5_200_000_000, "5.2 GB"],
  ])("in %s %d is %s", (locale, size, words) => {
    expect(new Formatter({ locale, timeZone: "UTC", currency: "EUR" }).bytes(size).replace(/ /g, " ")).toBe(words);
  });
});

describe("files on their way", () => {
  const four = begun(["a", "b", "c", "d"].map((key) => ({ key, name: `${key}.csv`, size: 10 })));
  const keys = (queue: ReturnType<typeof begun>) => next(queue).map((one) => one.key);

  it("are sent a few at a time, in their order", () => {
    expect(keys(four)).toEqual(["a", "b"].slice(0, AT_ONCE));
    const sending = changed(changed(four, "a", { state: "sends" }), "b", { state: "sends" });
    expect(keys(sending)).toEqual([]);
    expect(keys(changed(sending, "a", { state: "failed" }))).toEqual(["c"]);
    expect(keys(changed(sending, "b", { state: "done" }))).toEqual(["c"]);
  });

  it("say how far they are", () => {
    const none = { key: "x", name: "x", sent: 0, error: null, owner: "files", workspace: "", stored: null };
    const [one] = changed(four, "a", { state: "sends", sent: 4 });
    expect(one && share(one)).toBe(0.4);
    expect(share({ ...none, size: 0, state: "done" })).toBe(1);
    expect(share({ ...none, size: 10, sent: 99, state: "sends" })).toBe(1);
  });
});

it("an archive is asked for by the ids of its files", () => {
  expect(archiveUrl("w", ["a", "b"])).toBe("/api/v1/workspaces/w/files/archive?ids=a%2Cb");
});
