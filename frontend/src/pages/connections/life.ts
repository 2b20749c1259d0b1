/** How long a connection is still good. */
export type Expiry = { kind: "expired" | "soon"; days: number } | null;

/** From so many days before it on it is warned of. */
export const WARNED_DAYS = 14;
/** For how many hours a secret before can be accepted. */
export const OVERLAPS = ["1", "24", "72", "168", "720"] as const;
const DAY = 86_400_000;

/** Whether it has expired, or does soon, on this day (2026-11-29). */
export function expiryOf(expires: string | null, today: string): Expiry {
  if (!expires) return null;
  const days = Math.round((Date.parse(`${expires}T00:00Z`) - Date.parse(`${today}T00:00Z`)) / DAY);
  if (days < 0) return { kind: "expired", days: -days };
  return days <= WARNED_DAYS ? { kind: "soon", days } : null;
}
