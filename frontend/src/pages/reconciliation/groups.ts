import { type Group, GROUPS, type Reconciliation } from "../../api/reconciliations";

export function groupOf(value: unknown): Group | undefined {
  return GROUPS.find((one) => one === value);
}

/** The group that is looked at first: the first that has something for people, else what matches. */
export function firstGroup(counts: Reconciliation["counts"]): Group {
  return (["differing", "twice", "only_a", "only_b"] as const).find((one) => counts[one] > 0) ?? "matched";
}

export function openOf(counts: Reconciliation["counts"]): number {
  return GROUPS.reduce((sum, one) => sum + (one === "matched" ? 0 : counts[one]), 0);
}

export const isZero = (amount: string) => /^-?0*(\.0*)?$/.test(amount);
