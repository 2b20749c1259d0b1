import type { TFunction } from "i18next";

/** How many calls another system takes by one connection; null: any number. */
export interface CallLimit {
  calls: number | null;
  period_ms: number | null;
  at_once: number | null;
}

export const PERIODS = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;
export type Period = keyof typeof PERIODS;

function periodOf(ms: number | null): Period {
  return (Object.keys(PERIODS) as Period[]).find((period) => PERIODS[period] === ms) ?? "minute";
}

/** "60 calls a minute, 2 at a time". */
export function limitWords({ calls, period_ms, at_once }: CallLimit, t: TFunction, number: (value: number) => string): string {
  const often = calls === null ? null : t(`common:limit.${periodOf(period_ms)}`, { count: calls, number: number(calls) });
  const once = at_once === null ? null : t("common:limit.atOnce", { count: at_once, number: number(at_once) });
  return [often, once].filter(Boolean).join(", ");
}
