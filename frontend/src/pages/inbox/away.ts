/** Words about being away, and about standing in. */
import { useTranslation } from "react-i18next";

import type { TFunction } from "i18next";

import type { Absence } from "../../api/absences";
import type { TaskVote } from "../../api/tasks";
import { useFormatter } from "../../ui";

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

/** Who said so, and in whose place. */
export function byOf(vote: Pick<TaskVote, "by" | "in_place_of"> | undefined, t: TFunction<readonly ["inbox", "away"]>): string | undefined {
  if (!vote?.in_place_of) return vote?.by;
  return t("away:by", { by: vote.by, name: vote.in_place_of });
}

/** By whom it was decided, before what was decided. */
export function endedBy(last: Pick<TaskVote, "by" | "me" | "in_place_of"> | undefined, t: TFunction<readonly ["inbox", "away"]>): string {
  if (last?.me) return last.in_place_of ? t("ended.meFor", { name: last.in_place_of }) : t("ended.me");
  return t("ended.by", { name: byOf(last, t) ?? t("somebody") });
}
