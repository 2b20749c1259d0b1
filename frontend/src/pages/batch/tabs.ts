export const TABS = ["failed", "items", "totals", "files"] as const;
export type BatchTab = (typeof TABS)[number];

export function tabOf(value: unknown): BatchTab | undefined {
  return TABS.find((one) => one === value);
}
