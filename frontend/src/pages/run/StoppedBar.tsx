import { Link } from "@tanstack/react-router";
import { CirclePause } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { Run, Waiting } from "../../api/types";
import { useFormatter } from "../../ui";
import { useWaitingText } from "../runs/waiting";
import css from "../workflow/control/control.module.css";

/** Below the bar of a run that is paused, or that its workflow holds: by whom, since when and why. */
export default function StoppedBar({ run, waiting }: { run: Run; waiting: Waiting }) {
  const { t } = useTranslation("control");
  const format = useFormatter();
  const words = useWaitingText();
  const time = waiting.since ? format.dayClock(waiting.since) : "";
  const text = () => {
    if (waiting.kind === "held") return words(run);
    if (waiting.by === "workflow") return t("run.barWithWorkflow", { time });
    if (waiting.by === "run") return t("run.barWithRun", { time });
    return waiting.by && waiting.by !== "api" ? t("run.barBy", { by: waiting.by, time }) : t("run.bar");
  };
  return (
    <div className={css.banner} data-testid="stopped-bar" data-kind={waiting.kind}>
      <CirclePause size={18} aria-hidden />
      <div className={css.words}>
        <b>{text()}</b>
        {waiting.kind === "held" && <span>{t("run.barHeld")}</span>}
        {waiting.reason && waiting.kind === "paused" && <small>{waiting.reason}</small>}
      </div>
      {(waiting.kind === "held" || waiting.by === "workflow") && (
        <Link to="/workflows/$id/settings" params={{ id: run.workflow.id }}>
          {t("run.toWorkflow")}
        </Link>
      )}
    </div>
  );
}
