/**
 * The law of live updates: a snapshot with its changes applied equals a fresh snapshot.
 * Pure; the same golden files hold it in Python and here.
 */
import type { RunChange, RunSnapshot, RunStep } from "../api/types";

function placeOf(step: RunStep): string {
  return `${step.node}\u0000${step.generation}`;
}

/**
 * Returns the snapshot after `change`. A change that is already contained returns the very same object, so a change may
 * be delivered twice. There must be no gap before it (`change.after <= snapshot.seq`), else a RangeError is thrown.
 */
export function applyChange(snapshot: RunSnapshot, change: RunChange): RunSnapshot {
  if (change.run !== snapshot.run.id || change.seq <= snapshot.seq) return snapshot;
  if (change.after > snapshot.seq) throw new RangeError(`a gap: ${snapshot.seq} to ${change.after}`);
  const fresh = new Map(change.steps.filter((step) => step.seq > snapshot.seq).map((step) => [placeOf(step), step]));
  const steps = snapshot.steps.map((step) => {
    const place = placeOf(step);
    const newer = fresh.get(place);
    if (!newer) return step;
    fresh.delete(place);
    return newer;
  });
  steps.push(...fresh.values());
  return {
    ...snapshot,
    run: { ...snapshot.run, ...change.state, seq: change.seq },
    steps,
    seq: change.seq,
  };
}
