import { FlaskConical } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useRun } from "../../live";
import {
  Chip,
  ClockTime,
  Duration,
  runIsFinished,
  runStatusKind,
  StatusChip,
  StatusIcon,
} from "../../ui";
import { startedBy } from "../runs/words";
import { runStatusName } from "../runs/words";
import { RetriedFacts } from "./RetriedFacts";
import { failedItems, useShownGraph } from "./items/shown";
import css from "./run.module.css";
import { RunFiles } from "./RunFiles";
import { RunTags } from "./RunTags";
import { progressOf } from "./undo";

/** The floating bar over the canvas: how it stands, since when, which version, who started it. */
export function RunFacts() {
  const { t } = useTranslation("runs");
  const run = useRun((state) => state.run);
  const failed = useRun((state) => Object.values(state.steps).filter((step) => step.status === "failed").length);
  const items = useRun(failedItems);
  if (!run) return null;
  const kind = runStatusKind(run);
  return (
    <div className={css.live} data-testid="run-facts" data-status={run.status}>
      <StatusChip kind={kind} label={runStatusName(run, t, items)} />
      {failed > 0 && kind !== "failed" && (
        <Chip tone="err" icon={<StatusIcon kind="failed" size={13} decorative />}>
          {t("facts.stepsFailed", { count: failed })}
        </Chip>
      )}
      {items > 0 && kind !== "done_with_failures" && (
        <Chip tone="err" icon={<StatusIcon kind="failed" size={13} decorative />}>
          {t("facts.itemsFailed", { count: items })}
        </Chip>
      )}
      {run.mode === "test" && <Chip icon={<FlaskConical size={12} aria-hidden />}>{t("mode.test")}</Chip>}
      <span>
        {t("facts.started")}{" "}
        <b>
          <ClockTime at={run.accepted_at} />
        </b>
      </span>
      <span>
        {run.finished_at ? t("facts.ran") : t("facts.soFar")}{" "}
        <b>
          <Duration from={run.accepted_at} until={run.finished_at} />
        </b>
      </span>
      {run.version > 0 && (
        <span>
          {t("facts.version")} <b>v{run.version}</b>
        </span>
      )}
      <span>
        {t("facts.by")} <b className={css.by}>{run.started_by_name ?? startedBy(run.started_by, t)}</b>
      </span>
      {run.status === "cancelled" && run.cancelled?.by && (
        <span>
          {t("facts.cancelledBy")} <b>{startedBy(run.cancelled.by, t)}</b>
        </span>
      )}
      <RetriedFacts run={run} />
      <RunFiles run={run} />
      <RunTags run={run} />
    </div>
  );
}

const SPEAK_EVERY = 5000;

/** Tells screen readers how far the run is, at most every five seconds. */
export function RunAnnouncer() {
  const { t } = useTranslation(["runs", "common"]);
  const run = useRun((state) => state.run);
  const graph = useShownGraph();
  const total = useRun((state) => (graph ? progressOf(graph, state.steps).total : 0));
  const done = useRun((state) => (graph ? progressOf(graph, state.steps).done : 0));
  const undone = useRun((state) => Object.keys(state.undone).length);
  const failed = useRun(failedItems);
  const words = run
    ? runIsFinished(run)
      ? t("announce.finished", { status: runStatusName(run, t, failed) })
      : run.status === "compensating"
        ? t("announce.undoing", { count: undone })
        : t("announce.progress", { done, total })
    : "";
  const [said, setSaid] = useState("");
  const latest = useRef(words);
  useEffect(() => {
    latest.current = words;
  });
  useEffect(() => {
    const timer = setInterval(() => setSaid(latest.current), SPEAK_EVERY);
    return () => clearInterval(timer);
  }, []);
  return (
    <p className="srOnly" role="status">
      {said}
    </p>
  );
}
