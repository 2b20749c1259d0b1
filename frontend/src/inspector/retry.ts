import type { RetryPolicy } from "../graph";

export const DEFAULT_RETRY: RetryPolicy = {
  attempts: 3,
  strategy: "exponential",
  first_seconds: 1,
  factor: 2,
  cap_seconds: 300,
  jitter: 0.2,
  total_seconds: 900,
};

/** How long it waits before the second try, the third, … without jitter. */
export function waits(policy: RetryPolicy): number[] {
  return Array.from({ length: Math.max(0, policy.attempts - 1) }, (_, at) => {
    const wait =
      policy.strategy === "fixed"
        ? policy.first_seconds
        : policy.strategy === "linear"
          ? policy.first_seconds * (at + 1)
          : policy.first_seconds * policy.factor ** at;
    return Math.min(policy.cap_seconds, wait);
  });
}

/** After how many seconds at most it gives up: all waits and all tries, within the total. */
export function totalWait(policy: RetryPolicy, timeout: number): number {
  const sum = waits(policy).reduce((total, wait) => total + wait, 0) + policy.attempts * timeout;
  return Math.min(sum, policy.total_seconds);
}
