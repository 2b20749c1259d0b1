/** What rules say: a sentence of words and places, which are filled with words here and with fields in the editor. */
import type { TFunction } from "i18next";

import type { AlertMeasureShape, AlertRuleBody, AlertWhat } from "../../api/schema.gen";
import type { Formatter } from "../../ui";

export const KINDS = [
  "failure_rate",
  "failed_runs",
  "dead_letters",
  "arrival",
  "stuck_runs",
  "p95",
  "queue_age",
  "no_workers",
  "connection_errors",
  "duplicate_rate",
] as const satisfies readonly AlertRuleBody["kind"][];
export type Kind = (typeof KINDS)[number];

export const RATES: readonly Kind[] = ["failure_rate", "duplicate_rate"];
export const TIMES: readonly Kind[] = ["p95", "queue_age"];
/** Those that say nothing of few. */
export const WITH_LEAST: readonly Kind[] = ["failure_rate", "duplicate_rate", "p95"];
export const DAYS = ["working", "every", "mon_fri", "mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export const MINUTES = [1, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440] as const;
const LIMITS: Record<Kind, number> = {
  failure_rate: 5,
  failed_runs: 0,
  dead_letters: 0,
  arrival: 0,
  stuck_runs: 0,
  p95: 60,
  queue_age: 120,
  no_workers: 0,
  connection_errors: 5,
  duplicate_rate: 20,
};

/** What a new rule of this kind begins with. */
export const limitOf = (kind: Kind): number => LIMITS[kind];

export interface Piece {
  /** Words as they stand, or the name of a place. */
  text: string;
  place: boolean;
}

/** "If {kind} of {what} …" as words and places. */
export function piecesOf(sentence: string): Piece[] {
  return sentence
    .split(/(\{\w+\})/)
    .filter(Boolean)
    .map((part) => (/^\{\w+\}$/.test(part) ? { text: part.slice(1, -1), place: true } : { text: part, place: false }));
}

/** Minutes in words, as they stand in a sentence. */
export function spanOf(minutes: number, t: TFunction<"alerts">, format: Formatter): string {
  const hours = minutes / 60;
  return Number.isInteger(hours) ? t("span.hours", { count: hours, number: format.number(hours) }) : t("span.minutes", { count: minutes, number: format.number(minutes) });
}

/** A value of this kind, in the unit of its limit. */
export function valueOf(kind: Kind, value: number, t: TFunction<"alerts">, format: Formatter): string {
  if (RATES.includes(kind)) return format.number(value / 100, { style: "percent", maximumFractionDigits: 2 });
  if (TIMES.includes(kind)) return value < 1 ? t("value.seconds", { count: value, number: format.number(value) }) : format.duration(value * 1000);
  return format.number(value);
}

/** Names one after the other: "Ops and Finance". */
export const listOf = (names: readonly string[], language: string): string => new Intl.ListFormat(language, { type: "conjunction" }).format(names);

/** A country by its code. */
export const countryOf = (code: string, language: string): string => new Intl.DisplayNames([language], { type: "region" }).of(code) ?? code;

/** What fills the places of a sentence that is only read. */
export function placesOf(what: AlertWhat, names: readonly string[], t: TFunction<"alerts">, format: Formatter, language: string): Record<string, string> {
  const days = what.arrival?.days ?? "working";
  const country = what.arrival?.country;
  return {
    channels: names.length > 0 ? listOf(names, language) : t("nobody"),
    kind: t(`kind.${what.kind}`),
    what: what.workflow_id === null ? t("all") : (what.workflow_name ?? t("removedWorkflow")),
    connection: what.connection_id === null ? t("anyConnection") : (what.connection_name ?? t("removedConnection")),
    limit: TIMES.includes(what.kind) ? format.duration(what.limit * 1000) : RATES.includes(what.kind) ? valueOf(what.kind, what.limit, t, format) : format.number(what.limit),
    minutes: spanOf(what.minutes, t, format),
    by: what.arrival?.by ?? "",
    days: days === "working" && country?.startsWith("@") ? t("days.workingBy", { calendar: what.arrival?.calendar || country.slice(1) }) : days === "working" && country ? t("days.workingIn", { country: countryOf(country, language) }) : t(`days.${days}`),
  };
}

/** The same, said of this moment. */
export function nowOf(what: AlertWhat | { kind: Kind }, measure: AlertMeasureShape, t: TFunction<"alerts">, format: Formatter): string {
  const said = standingOf(what, measure, t, format);
  return t("now.label", { said });
}

/** How it stands, in a few words, and how much of it was left out. */
export function standingOf(what: AlertWhat | { kind: Kind }, measure: AlertMeasureShape, t: TFunction<"alerts">, format: Formatter): string {
  const said = countedOf(what, measure, t, format);
  return measure.muted > 0 ? t("now.muted", { said, number: format.number(measure.muted) }) : said;
}

function countedOf(what: AlertWhat | { kind: Kind }, measure: AlertMeasureShape, t: TFunction<"alerts">, format: Formatter): string {
  const kind = what.kind;
  if (kind === "no_workers") return t("now.workers", { count: measure.value ?? 0, number: format.number(measure.value ?? 0) });
  if (kind === "arrival") return measure.value === null ? t("now.nothingExpected") : t("now.came", { count: measure.value, number: format.number(measure.value) });
  if (measure.value === null) return t("now.few", { count: measure.whole ?? 0, number: format.number(measure.whole ?? 0) });
  const value = valueOf(kind, measure.value, t, format);
  if (measure.part !== null && measure.whole !== null) return t("now.share", { value, part: format.number(measure.part), whole: format.number(measure.whole) });
  return t("now.value", { value });
}
