/** Sums and paces of a batch, in words. */
import type { Batch } from "../../api/batches";

/** Parts of the bar, each a share of all entries, in the order in which they are shown. */
export const PARTS = ["done", "skipped", "left_out", "failed", "running", "waiting", "left"] as const;
export type Part = (typeof PARTS)[number];

export function partsOf(batch: Batch): Record<Part, number> {
  return { done: batch.done + batch.solved, skipped: batch.skipped, left_out: batch.left_out, failed: batch.failed, running: batch.running, waiting: batch.waiting, left: batch.left ?? 0 };
}

/** All entries there are, as far as is known: received = done + failed + skipped (passed over, or by people) + open. */
export function receivedOf(batch: Batch): number {
  return Object.values(partsOf(batch)).reduce((sum, one) => sum + one, 0);
}

const SOON_MS = 30_000;
const LEAST = 0.02;

/** When it is likely to be done (ms), and by how much that may be wrong; null while nobody can say. */
export function etaOf(batch: Batch, now: number): { at: number; spread: number } | null {
  const left = batch.running + batch.waiting + (batch.left ?? 0);
  if (left === 0 || batch.total === null || batch.per_minute === null || batch.started_at === null || batch.finished_at !== null) return null;
  const ended = batch.done + batch.failed + batch.solved + batch.left_out;
  if (now - Date.parse(batch.started_at) < SOON_MS && ended < LEAST * batch.total) return null;
  const rest = (left / batch.per_minute) * 60_000;
  return { at: now + rest, spread: Math.max(60_000, rest / 5) };
}

/** Adds and compares decimals without a float: amounts are texts with at most four decimals. */
export function unitsOf(amount: string): bigint {
  const [whole = "0", part = ""] = amount.replace("-", "").split(".");
  const units = BigInt(whole) * 10_000n + BigInt(part.slice(0, 4).padEnd(4, "0") || "0");
  return amount.startsWith("-") ? -units : units;
}

export function sameAmount(one: string, other: string): boolean {
  return unitsOf(one) === unitsOf(other);
}
