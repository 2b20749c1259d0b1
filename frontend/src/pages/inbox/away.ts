/** Words about being away, and about standing in. */
import { useTranslation } from "react-i18next";

import type { TFunction } from "i18next";

import type { Absence } from "../../api/absences";
import type { ApiError } from "../../api/client";
import type { Task, TaskVote } from "../../api/tasks";
import { useFormatter } from "../../ui";
import { TOO_LATE } from "./task";

export interface AwayWords {
  /** A day of the workspace, `2026-12-03`, as people write it. */
  day: (day: string) => string;
  /** "away until 3 Dec 2026" */
  until: (until: string | null) => string;
  /** What I am told of my own. */
  mine: (absence: Absence) => string;
}

export function useAwayWords(): AwayWords {
  const { t } = useTranslation("away");
  const format = useFormatter();
  // A day is no instant: it is the same in whatever zone.
  const day = (one: string) => format.in("UTC").day(`${one}T00:00:00Z`);
  const hand = (absence: Absence) => {
    if (absence.hand && absence.hand.member === absence.stand_in?.member) return t("hand.sees", { name: absence.hand.name });
    if (absence.hand) return t("hand.insteadOf", { name: absence.hand.name, other: absence.stand_in?.name });
    return absence.why === "left" ? t("hand.left") : t("hand.away", { name: absence.stand_in?.name });
  };
  return {
    day,
    until: (until) => (until ? t("until.day", { day: day(until) }) : t("until.open")),
    mine: (absence) => {
      const last = absence.last_day;
      const days = { first: day(absence.first_day), last: last ? day(last) : "" };
      const when = absence.holds ? t(last ? "mine.until" : "mine.now", days) : t(last ? "mine.will" : "mine.willOpen", days);
      return absence.holds ? `${when} ${hand(absence)}` : `${when} ${absence.stand_in ? t("hand.will", { name: absence.stand_in.name }) : t("hand.left")}`;
    },
  };
}

/** Who did something, and in whose place. */
export type Doer = Pick<TaskVote, "by" | "in_place_of">;

/** The same in words. */
export function byOf(doer: Doer | undefined, t: TFunction<readonly ["inbox", "away"]>): string | undefined {
  if (!doer?.in_place_of) return doer?.by;
  return t("away:by", { by: doer.by, name: doer.in_place_of });
}

/** Who has taken it, in words; empty where nobody has. */
export function takenBy(task: Pick<Task, "taken_by" | "taken_for">, t: TFunction<readonly ["inbox", "away"]>): string {
  return task.taken_by ? (byOf({ by: task.taken_by, in_place_of: task.taken_for }, t) ?? "") : "";
}

/** Why an answer came too late, in words. */
export function lateWords(error: Pick<ApiError, "code" | "params">, saidOf: (outcome: string) => string, t: TFunction<readonly ["inbox", "away"]>): string {
  const text = (name: string) => (typeof error.params[name] === "string" ? error.params[name] : "");
  const by = byOf({ by: text("by"), in_place_of: text("in_place_of") || null }, t);
  // My voice was given by another.
  if (error.code === "already_said" && by) return t("late.said_for", { by });
  return t(`late.${error.code}`, { by, said: saidOf(text("outcome")) });
}

interface Refusal {
  code: string | null;
  params: Record<string, unknown>;
  /** In the server's words. */
  message: string | null;
}

/** Why an answer was not taken, in words. */
export function whyNot({ code, params, message }: Refusal, saidOf: (outcome: string) => string, t: TFunction<readonly ["inbox", "away"]>): string {
  return code !== null && TOO_LATE.includes(code) ? lateWords({ code, params }, saidOf, t) : (message ?? "");
}

/** By whom it was decided, before what was decided. */
export function endedBy(last: (Doer & Pick<TaskVote, "me">) | undefined, t: TFunction<readonly ["inbox", "away"]>): string {
  if (last?.me) return last.in_place_of ? t("ended.meFor", { name: last.in_place_of }) : t("ended.me");
  return t("ended.by", { name: byOf(last, t) ?? t("somebody") });
}
