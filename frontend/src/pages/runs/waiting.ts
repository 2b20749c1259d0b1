import { useTranslation } from "react-i18next";

import type { Run } from "../../api/types";
import { useFormatter } from "../../ui";

const INSTANT = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z/g;
const SOON = 20 * 60 * 60 * 1000;

/** Why a run waits, in words of the reader's language and clock; null while it does not wait. */
export function useWaitingText(): (run: Pick<Run, "waiting" | "current_step">) => string | null {
  const { t } = useTranslation("common");
  const format = useFormatter();
  const moment = (at: string) =>
    Date.parse(at) - Date.now() < SOON ? format.clockSeconds(at) : format.dayClock(at);
  return ({ waiting, current_step: step }) => {
    if (!waiting) return null;
    if (waiting.kind === "held") {
      if (waiting.cause === "turn") return t("waiting.heldTurn");
      const paused = waiting.reason ? "heldPausedWhy" : "heldPaused";
      const why = waiting.cause !== "failures" ? paused : waiting.runs > 0 ? "heldShare" : "heldRow";
      return t(`waiting.${why}`, { failures: waiting.failures, runs: waiting.runs, reason: waiting.reason });
    }
    if (waiting.kind === "paused") {
      const together = waiting.by === "run" || waiting.by === "workflow";
      return [t(together ? `waiting.pausedWith.${waiting.by}` : "waiting.paused"), waiting.reason].filter(Boolean).join(": ");
    }
    const name = step?.name;
    if (waiting.kind === "human") {
      const names = (waiting.people ?? []).join(", ");
      const words = `waiting.${names ? "people" : "anybody"}${waiting.until ? "Until" : ""}`;
      return t(words, { names, time: waiting.until ? moment(waiting.until) : "" });
    }
    if (name && waiting.kind === "event") {
      return t(waiting.until ? "waiting.eventUntil" : "waiting.event", { name, time: waiting.until ? moment(waiting.until) : "" });
    }
    if (name && waiting.kind === "children") {
      const one = waiting.of === "call" ? "call" : waiting.of === "turns" ? "turn" : "item";
      if (waiting.paused_item != null) return t(`waiting.${one}Paused`, { name, item: waiting.paused_item + 1 });
      if (waiting.held_workflow != null) return t("waiting.callHeld", { name });
      if (waiting.asking_item != null) return t(`waiting.${one}Asks`, { name, item: waiting.asking_item + 1 });
      return t(one === "item" ? "waiting.children" : `waiting.${one}Works`, { name });
    }
    if (name && waiting.until && (waiting.kind === "retry" || waiting.kind === "timer" || waiting.kind === "look_up")) {
      return t(`waiting.${waiting.kind}`, { name, time: moment(waiting.until) });
    }
    return waiting.text.replaceAll(INSTANT, moment);
  };
}
