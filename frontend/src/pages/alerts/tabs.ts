/** The parts of the page of alerts, as its address names them. */
export const TABS = ["rules", "channels", "history"] as const;
export type AlertsTab = (typeof TABS)[number];

export interface AlertsSearch {
  tab?: AlertsTab;
}

export function alertsSearch(search: Record<string, unknown>): AlertsSearch {
  const tab = TABS.find((one) => one === search.tab);
  return tab && tab !== "rules" ? { tab } : {};
}
