/** How a run is called where it is listed. */
import type { i18n as I18n, TFunction } from "i18next";

import type { KeyEvent } from "../../api/runSearch";
import type { Run } from "../../api/types";
import { runStatusKind } from "../../ui";

/** The name people know it by, or its number. */
export function runTitle(run: Pick<Run, "business_key" | "short_id">): string {
  return run.business_key ?? run.short_id;
}

/** So many failed items are counted in a list; the run itself knows more exactly. */
const MOST_COUNTED = 100;

/** How it stands, in words; of a run that is done also how many of its items are not (`counted`: where that is known). */
export function runStatusName(run: Parameters<typeof runStatusKind>[0], t: TFunction, counted = 0): string {
  const kind = runStatusKind(run);
  const count = counted || (run.failed_items ?? 0);
  if (kind === "done_with_failures" && count === 0 && run.failed_calls) return t("runs:doneCallFailed", { count: run.failed_calls });
  if (kind !== "done_with_failures" || count === 0) return t(`common:status.${kind}`);
  return t(count === MOST_COUNTED && !counted ? "runs:doneManyFailed" : "runs:doneFailed", { count });
}

/** What somebody said to a question: in the builder's own words, where there are any. */
export function saidWords(said: { called?: string | null; outcome: string }, { t, i18n }: { t: TFunction; i18n: Pick<I18n, "exists"> }): string {
  const key = `runs:people.outcome.${said.outcome}`;
  return said.called || (i18n.exists(key) ? String(t(key as never)) : said.outcome);
}

/** Where it belongs: workflow and version. */
export function runSubtitle(
  run: Pick<Run, "workflow" | "version" | "mode">,
  t: (key: string, values: Record<string, unknown>) => string,
): string {
  if (run.mode === "test") return t("subtitleTest", { workflow: run.workflow.name });
  return t("subtitle", { workflow: run.workflow.name, version: run.version });
}

/** The filters people choose from, each with the statuses it stands for. */
export const STATUS_FILTERS = [
  { key: "failed", kind: "failed", statuses: ["dead_lettered"] },
  {
    key: "waiting",
    kind: "waiting",
    statuses: ["waiting_timer", "waiting_event", "waiting_human", "parked"],
  },
  { key: "running", kind: "running", statuses: ["accepted", "running", "compensating"] },
  { key: "done", kind: "done", statuses: ["completed"] },
  { key: "undone", kind: "undone", statuses: ["compensated"] },
  { key: "cancelled", kind: "cancelled", statuses: ["cancelled"] },
] as const;

export type StatusFilter = (typeof STATUS_FILTERS)[number];

export function filterIsOn(filter: StatusFilter, chosen: readonly string[] | undefined): boolean {
  return chosen !== undefined && filter.statuses.every((status) => chosen.includes(status));
}

/** The statuses after pressing `filter`; undefined means all. */
export function toggleFilter(filter: StatusFilter, chosen: readonly string[] | undefined): string[] | undefined {
  const statuses: readonly string[] = filter.statuses;
  const next = filterIsOn(filter, chosen)
    ? (chosen ?? []).filter((status) => !statuses.includes(status))
    : [...new Set([...(chosen ?? []), ...statuses])];
  return next.length > 0 ? next : undefined;
}

/** Who or what did something, in words; of a decision also in whose place. */
export function eventBy(event: Pick<KeyEvent, "by" | "in_place_of">, t: (key: string, values: Record<string, unknown>) => string): string {
  return event.in_place_of ? t("runs:people.byFor", { by: event.by, name: event.in_place_of }) : startedBy(event.by, t);
}

/** Who or what started it, in words where the server gives a code. */
export function startedBy(by: string, t: (key: string, values: Record<string, unknown>) => string): string {
  const known = ["webhook", "schedule", "api", "run"];
  if (by.startsWith("user:")) return t("startedBy.user", {});
  return known.includes(by) ? t(`startedBy.${by}`, {}) : by;
}
