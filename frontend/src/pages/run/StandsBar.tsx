import { Link } from "@tanstack/react-router";
import { Hourglass, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";

import { type InLine, type StuckRun, useRunStands, useTakeUp } from "../../api/runStands";
import { useCan } from "../../api/session";
import type { Run } from "../../api/types";
import { Button, buttonClass, showToast, useErrorText, useFormatter } from "../../ui";
import css from "../workflow/control/control.module.css";
import { useNowAndThen } from "./cardLines";

/** Below the bar of a run that nobody works on: where it stands in line, or that it is stuck, why, and what to do. */
export default function StandsBar({ run }: { run: Run }) {
  // A run that is under way changes many times a second, and then there is nothing to tell.
  const stands = useRunStands(run.id, useNowAndThen(run.seq), true).data;
  if (stands?.stuck) return <Stuck run={run} stuck={stands.stuck} />;
  return stands?.line ? <Line line={stands.line} /> : null;
}

function Line({ line }: { line: InLine }) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  // The first in line begins before anybody has read this.
  if (line.ahead === 0) return null;
  const number = format.number(line.ahead);
  const ahead = t(line.more ? "stands.more" : "stands.ahead", { count: line.ahead, number });
  return (
    <div className={css.banner} data-testid="in-line">
      <Hourglass size={18} aria-hidden />
      <div className={css.words}>
        <b>
          {t("stands.line")} {line.seconds === null ? ahead : t("stands.about", { ahead, time: format.duration(line.seconds * 1000) })}
        </b>
      </div>
    </div>
  );
}

function Stuck({ run, stuck }: { run: Run; stuck: StuckRun }) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  const mayMonitor = useCan("admin");
  const mayTakeUp = useCan("reviewer") && stuck.may_take_up;
  const take = useTakeUp(run.id);
  const errorText = useErrorText();
  const time = format.duration(Math.max(0, Math.floor((Date.now() - Date.parse(stuck.since)) / 1000) * 1000));
  const noWorker = stuck.workers === 0 && (stuck.reason === "not_taken" || stuck.reason === "lease_over");
  return (
    <div className={css.banner} data-testid="stuck" data-reason={stuck.reason}>
      <TriangleAlert size={18} aria-hidden />
      <div className={css.words}>
        <b>{t(`stands.stuck.${stuck.reason}`, { time, expected: format.duration(stuck.expected_ms) })}</b>
        <span>{t(noWorker ? "stands.noWorkers" : `stands.why.${stuck.reason}`)}</span>
      </div>
      <div className={css.actions}>
        {mayMonitor && stuck.reason !== "nobody_can_decide" && (
          <Link to="/monitor" hash="workers" className={buttonClass("default", "sm")}>
            {t("stands.workers")}
          </Link>
        )}
        {mayTakeUp && (
          <Button
            size="sm"
            busy={take.isPending}
            onClick={() => take.mutate(undefined, { onError: (error) => showToast({ tone: "err", title: errorText(error).title }) })}
          >
            {t("stands.takeUp")}
          </Button>
        )}
      </div>
    </div>
  );
}
