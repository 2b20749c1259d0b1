import { afterEach, expect, it, vi } from "vitest";

import type { StoredFile } from "../api/files";
import { addUploads, dropUpload, dropUploadsOf, onUploaded, retryUpload, showUploadsOf, takeStored, uploadsUnderWay, useUploadStore } from "./store";

/** What each upload waits for, in the order in which they began. */
const sent = vi.hoisted(() => [] as { name: string; key: string; done(file: unknown): void; failed(error: unknown): void; signal: AbortSignal }[]);
vi.mock("../api/files", () => ({
  uploadFile: (_workspace: string, file: File, { idempotencyKey, signal }: { idempotencyKey: string; signal: AbortSignal }) =>
    new Promise((resolve, reject) => sent.push({ name: file.name, key: idempotencyKey, done: resolve, failed: reject, signal })),
}));

const file = (name: string): File => new File(["a;b"], name);
const stored = (name: string): StoredFile => ({ id: name, name, size: 3 }) as StoredFile;
const states = (): Record<string, string> => Object.fromEntries(useUploadStore.getState().queue.map((one) => [one.name, one.state]));
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

afterEach(() => {
  for (const one of useUploadStore.getState().queue) dropUpload(one.key);
  sent.length = 0;
});

it("two are sent at a time, and the next when one has come", async () => {
  const came: string[] = [];
  const stop = onUploaded((one, { owner }) => came.push(`${one.name} for ${owner}`));
  addUploads("w", [file("a"), file("b"), file("c")], "files");
  expect(states()).toEqual({ a: "sends", b: "sends", c: "waits" });
  sent[0]?.done(stored("a"));
  await settle();
  expect(states()).toEqual({ a: "done", b: "sends", c: "sends" });
  expect(came).toEqual(["a for files"]);
  stop();
});

it("what failed is sent again under its key", async () => {
  addUploads("w", [file("a")], "files");
  sent[0]?.failed(new Error("away"));
  await settle();
  expect(states()).toEqual({ a: "failed" });
  expect(uploadsUnderWay()).toBe(false);
  retryUpload(useUploadStore.getState().queue[0]?.key ?? "");
  expect(sent[1]?.key).toBe(sent[0]?.key);
});

it("one that is taken off is stopped, and makes room", () => {
  addUploads("w", [file("a"), file("b"), file("c")], "question");
  dropUpload(useUploadStore.getState().queue[0]?.key ?? "");
  expect(sent[0]?.signal.aborted).toBe(true);
  expect(states()).toEqual({ b: "sends", c: "sends" });
  dropUploadsOf("question");
  expect(states()).toEqual({});
});

it("a file that is here already needs no upload", () => {
  takeStored("w", stored("here"), "question");
  expect(useUploadStore.getState().queue[0]).toMatchObject({ state: "done", stored: { id: "here" }, owner: "question" });
  expect(sent).toEqual([]);
});

it("a screen says whose uploads it shows by itself", () => {
  const back = showUploadsOf("files");
  expect(useUploadStore.getState().shown["files"]).toBe(1);
  back();
  expect(useUploadStore.getState().shown["files"]).toBe(0);
});
