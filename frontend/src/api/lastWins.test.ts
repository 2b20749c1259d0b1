import { expect, test } from "vitest";

import { lastWins } from "./lastWins";

interface Sent {
  value: string;
  done: () => void;
  fail: () => void;
}

function wire(): { sent: Sent[]; failed: number[]; choose: (value: string) => void } {
  const sent: Sent[] = [];
  const failed: number[] = [];
  const choose = lastWins<string>(
    (value) => new Promise<void>((resolve, reject) => sent.push({ value, done: resolve, fail: () => reject(new Error("away")) })),
    () => failed.push(sent.length),
  );
  return { sent, failed, choose };
}

const settle = () => new Promise((done) => setTimeout(done));

test("what was chosen last is what the server hears last, however long the first takes", async () => {
  const { sent, choose } = wire();
  choose("a");
  choose("ab");
  choose("abc");
  expect(sent.map((one) => one.value)).toEqual(["a"]);
  sent[0]?.done();
  await settle();
  expect(sent.map((one) => one.value)).toEqual(["a", "abc"]);
  sent[1]?.done();
  await settle();
  choose("b");
  expect(sent.map((one) => one.value)).toEqual(["a", "abc", "b"]);
});

test("one that fails does not keep a newer one back, and the last one that fails is told", async () => {
  const { sent, failed, choose } = wire();
  choose("a");
  choose("b");
  sent[0]?.fail();
  await settle();
  expect(sent.map((one) => one.value)).toEqual(["a", "b"]);
  expect(failed).toEqual([]);
  sent[1]?.fail();
  await settle();
  expect(failed).toEqual([2]);
});
