import { ArrowRight, Ban, CircleCheck, CircleMinus, Clock, Repeat, Undo2 } from "lucide-react";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";

import { useUndoPlan } from "../../api/queries";
import type { GraphDocument, Run, RunStep, UndoLine } from "../../api/types";
import { failureMessage, failureTitle } from "../../i18n/server";
import { useRun } from "../../live";
import { isUndoIncomplete, Note, runIsFinished, SkeletonRows, useFormatter } from "../../ui";
import { useWaitingText } from "../runs/waiting";
import { cancelWords } from "./cancelled";
import { ErrorBox } from "./ErrorBox";
import { FailedBelow } from "./FailedBelow";
import { TryNow } from "./RetryWait";
import css from "./run.module.css";
import { solvedBy } from "./solved";
import { howFarUndone, isAnswered } from "./undo";
import undo from "./undo.module.css";

const RunQuestions = lazy(() => import("./RunQuestions"));

/** The first step that explains why the run stands where it stands. */
export function culprit(steps: Readonly<Record<string, RunStep>>): RunStep | undefined {
  return Object.values(steps)
    .filter((step) => step.status === "failed")
    .sort((left, right) => right.seq - left.seq)[0];
}

/** Why the run stands where it stands: what it failed of, why it was undone, or what it waits for. */
export function RunNews({ graph, onSelect }: { graph: GraphDocument; onSelect: (node: string) => void }) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  const waitingText = useWaitingText();
  const run = useRun((state) => state.run);
  const steps = useRun((state) => state.steps);
  if (!run) return null;
  const failed = culprit(steps);
  const failedName = graph.nodes.find((node) => node.id === failed?.node)?.name;
  const toStep = failed && failedName && (
    <button type="button" className={css.inlineLink} onClick={() => onSelect(failed.node)}>
      <ArrowRight size={14} aria-hidden />
      {t("overview.goToStep", { name: failedName })}
    </button>
  );
  // The bar above says all of it.
  const stopped = run.waiting?.kind === "paused" || run.waiting?.kind === "held";
  const trying = run.waiting?.kind === "retry" ? Object.values(steps).find((step) => step.status === "retrying" && step.wait?.until === run.waiting?.until) : undefined;
  const undone = run.status === "compensated" || run.status === "compensating";
  return (
    <>
      {run.error && !undone && <ErrorBox error={run.error}>{toStep}</ErrorBox>}
      {isUndoIncomplete(run) && <HowFarUndone run={run} />}
      <Cancelled run={run} />
      <Settled run={run} />
      <FailedBelow />
      {run.error && undone && (
        <section className={undo.why}>
          <h3>
            <Undo2 size={16} aria-hidden />
            {t("undo.failedBefore")}
          </h3>
          <b>{failureTitle(run.error) || failureMessage(run.error)}</b>
          {run.error.message && run.error.message !== run.error.title && <p>{failureMessage(run.error)}</p>}
          {toStep}
        </section>
      )}
      {run.waiting && !stopped && !runIsFinished(run) && (
        <Note {...(run.waiting.kind === "children" && run.waiting.asking_item == null ? { tone: "accent", icon: <Repeat size={16} /> } : { tone: "wait", icon: <Clock size={16} /> })}>
          <b>{waitingText(run)}</b>
          {run.waiting.since && <div>{t("overview.since", { time: format.clockOf(run.waiting.since, Date.now()) })}</div>}
          {trying && <TryNow run={run} node={trying.node} attempt={trying.attempt} />}
          {(run.waiting.kind === "human" || run.waiting.kind === "children") && (
            <Suspense>
              <RunQuestions run={run} />
            </Suspense>
          )}
        </Note>
      )}
    </>
  );
}

/** Of a run that was cancelled, or is to be as soon as what it is at has ended: by whom, when and why. */
function Cancelled({ run }: { run: Run }) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  const words = cancelWords(run);
  if (!run.cancelled || !words) return null;
  const { by, at, reason } = run.cancelled;
  return (
    <Note tone="idle" icon={<Ban size={16} />}>
      <b>{t(words, { by, time: format.dayClock(at) })}</b>
      {reason && <div>{t("undo.because", { reason })}</div>}
    </Note>
  );
}

/** Of a run that failed, and of which somebody said since that nothing more is to be done, or of an item that was skipped: who, when and why. */
function Settled({ run }: { run: Run }) {
  const { t } = useTranslation(["runs", "items"]);
  const format = useFormatter();
  if (!run.solved) return null;
  return (
    <Note tone="idle" icon={run.solved.how === "skipped" ? <CircleMinus size={16} /> : <CircleCheck size={16} />}>
      <b>
        {solvedBy(run.solved, t)} · {format.dayClock(run.solved.at)}
      </b>
      {run.solved.reason && <div>{t("undo.because", { reason: run.solved.reason })}</div>}
    </Note>
  );
}

/** Of a run that was not undone as a whole: what is still done, what nobody knows of, and what is not any more. */
function HowFarUndone({ run }: { run: Run }) {
  const { t } = useTranslation("runs");
  const plan = useUndoPlan(run, false);
  if (plan.isPending) return <SkeletonRows rows={2} label={t("undo.loading")} />;
  // The sentence above says it too.
  if (plan.isError) return null;
  const { standing, unsure, gone } = howFarUndone(plan.data);
  return (
    <div className={undo.lists} data-testid="how-far-undone">
      {standing.length > 0 && <Names title={t("undo.stillDone")} lines={standing} />}
      {unsure.length > 0 && <Names title={t("undo.unsure")} lines={unsure} />}
      <Names title={t("undo.gone")} lines={gone} none={t("undo.noneGone")} />
      {standing.length > 0 && unsure.length === 0 && standing.every(isAnswered) && <p className={undo.answered}>{t("undo.answered")}</p>}
    </div>
  );
}

function Names({ title, lines, none }: { title: string; lines: readonly UndoLine[]; none?: string }) {
  return (
    <section>
      <h3>{title}</h3>
      {lines.length === 0 && <p>{none}</p>}
      <ul>
        {lines.map((line) => (
          <li key={`${line.node}-${line.fate}`}>{line.name}</li>
        ))}
      </ul>
    </section>
  );
}
