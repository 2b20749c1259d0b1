import { useTranslation } from "react-i18next";

import type { Run } from "../../api/types";
import { useFormatter } from "../../ui";
import { limitWords } from "../../ui/limitWords";

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
    if (waiting.connection) {
      const at = waiting.connection_name ?? "";
      if (waiting.broken != null) return t("waiting.connectionBroken", { name: at, reason: waiting.broken });
      if (waiting.paused_until) return t("waiting.turnBreak", { name: at, time: moment(waiting.paused_until) });
      const limit = limitWords({ calls: waiting.calls ?? null, period_ms: waiting.period_ms ?? null, at_once: waiting.at_once ?? null }, t, (value) => format.number(value));
      const away = waiting.kind === "turn" && waiting.calls != null && waiting.until ? Date.parse(waiting.until) - Date.now() : 0;
      return t(away > 0 ? "waiting.turnAt" : "waiting.turnOf", { name: at, limit, time: format.duration(Math.ceil(away / 1_000) * 1_000) });
    }
    if (waiting.kind === "human") {
      const names = (waiting.people ?? []).join(", ");
      const words = `waiting.${names ? "people" : "anybody"}${waiting.until ? "Until" : ""}`;
      return t(words, { names, time: waiting.until ? moment(waiting.until) : "" });
    }
    if (name && waiting.kind === "event") {
      return t(waiting.until ? "waiting.eventUntil" : "waiting.event", { name, time: waiting.until ? moment(waiting.until) : "" });
    }
    if (name && waiting.goes_on_at) return t("waiting.opens", { name, time: moment(waiting.goes_on_at) });
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
