import { Link } from "@tanstack/react-router";
import { CirclePause } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useCan } from "../../../api/session";
import type { Workflow, WorkflowHold } from "../../../api/types";
import { Button, showToast, useErrorText, useFormatter } from "../../../ui";
import css from "./control.module.css";
import { LetGoDialog } from "./LetGoDialog";
import { useControl } from "./useControl";

/** Below the bar of a workflow that is paused and still accepts: why, what waits, and how it goes on. */
export default function HoldBanner({ workflow, hold }: { workflow: Workflow; hold: WorkflowHold }) {
  const { t } = useTranslation("control");
  const format = useFormatter();
  const errorText = useErrorText();
  const canBuild = useCan("builder");
  const [asking, setAsking] = useState(false);
  const control = useControl(workflow);
  const failed = (error: unknown) =>
    showToast({ tone: "err", title: t("banner.actionFailed"), text: errorText(error).title });
  const busy = control.hold.isPending || control.letGo.isPending;
  const draining = hold.mode === "draining";
  const all = hold.let_go + hold.waiting;
  return (
    <section className={css.banner} aria-label={t("banner.label")} data-testid="hold-banner" data-mode={hold.mode}>
      <CirclePause size={18} aria-hidden />
      <div className={css.words}>
        <b role="status">{draining ? t("banner.draining") : <Cause hold={hold} />}</b>
        {draining ? (
          <>
            <span>
              {t("banner.progress", { gone: format.number(hold.let_go), waiting: format.number(hold.waiting) })}
            </span>
            <span
              className={css.progress}
              role="progressbar"
              aria-label={t("banner.draining")}
              aria-valuemin={0}
              aria-valuemax={all}
              aria-valuenow={hold.let_go}
            >
              <i style={{ width: `${all === 0 ? 100 : (hold.let_go / all) * 100}%` }} />
            </span>
            {hold.paused_run && (
              <small role="status">
                {t("banner.heldUp")} <RunLink id={hold.paused_run} words={t("banner.seePaused")} />
              </small>
            )}
          </>
        ) : (
          <>
            <span>
              {t("banner.waiting", { count: hold.waiting, number: format.number(hold.waiting) })}{" "}
              {t("banner.since", { time: format.dayClock(hold.since) })}
            </span>
            {hold.reason && <small>{hold.reason}</small>}
            {hold.last_failure && (
              <small>
                {t("banner.lastFailure", { title: hold.last_failure })}{hold.last_failed_run && " · "}
                {hold.last_failed_run && <RunLink id={hold.last_failed_run} words={t("banner.seeFailed")} />}
              </small>
            )}
            <Trial hold={hold} />
          </>
        )}
      </div>
      {canBuild && (
        <div className={css.actions}>
          {draining ? (
            <Button busy={busy} onClick={() => control.hold.mutate({}, { onError: failed })}>
              {t("banner.stop")}
            </Button>
          ) : (
            <>
              {hold.waiting > 0 && hold.mode === "held" && (
                <Button disabled={busy} onClick={() => control.letGo.mutate({ trial: true }, { onError: failed })}>
                  {t("banner.tryOne")}
                </Button>
              )}
              <Button variant="primary" disabled={busy} onClick={() => setAsking(true)}>
                {t("banner.resume")}
              </Button>
            </>
          )}
        </div>
      )}
      {asking && <LetGoDialog workflow={workflow} waiting={hold.waiting} onClose={() => setAsking(false)} />}
    </section>
  );
}

function Cause({ hold }: { hold: WorkflowHold }) {
  const { t } = useTranslation("control");
  if (hold.cause === "failures") {
    return t(hold.runs > 0 ? "banner.share" : "banner.row", { failures: hold.failures, runs: hold.runs });
  }
  return hold.by && hold.by !== "api" ? t("banner.person", { by: hold.by }) : t("banner.api");
}

function Trial({ hold }: { hold: WorkflowHold }) {
  const { t } = useTranslation("control");
  if (hold.mode !== "trying" && hold.trial === null) return null;
  const words = hold.mode === "trying" ? "banner.trying" : hold.trial === "done" ? "banner.trialDone" : "banner.trialFailed";
  return (
    <small data-testid="trial" role="status">
      {t(words)} {hold.trial_run && <RunLink id={hold.trial_run} words={t("banner.seeTrial")} />}
    </small>
  );
}

function RunLink({ id, words }: { id: string; words: string }) {
  return (
    <Link to="/runs/$runId" params={{ runId: id }}>
      {words}
    </Link>
  );
}
