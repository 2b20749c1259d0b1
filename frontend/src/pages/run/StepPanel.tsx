import { Link } from "@tanstack/react-router";
import { ArrowRight, ChevronLeft, ChevronRight, Clock, Copy, Scale, X } from "lucide-react";
import { useCallback, useId, useMemo } from "react";
import { useTranslation } from "react-i18next";

import { useStepDetail } from "../../api/queries";
import type { GraphNode, Json, Run, RunAttempt, RunItem, RunStep, StepSpec } from "../../api/types";
import { localNote } from "../../graph/notes";
import { portLabel } from "../../graph/ports";
import { failureTitle } from "../../i18n/server";
import { useRun, useRunStep, useUndone } from "../../live";
import {
  ClockTime,
  CopyButton,
  Duration,
  ErrorCard,
  IconButton,
  Note,
  SkeletonRows,
  StatusChip,
  stepStatusKind,
  Tile,
  useFormatter,
} from "../../ui";
import { AskFirst } from "./AskedNow";
import { AttemptLines, AttemptsTab } from "./Attempts";
import { inputPath, outputPath, type Path } from "./dataSearch";
import { DataView } from "./DataView";
import { Revealing } from "./Masked";
import { MomentNote } from "./Moment";
import { doubtOf, keyOf } from "./doubt";
import { ErrorBox } from "./ErrorBox";
import { CalledRun, ItemBar } from "./items/ItemBar";
import { isCall, unitOf } from "./items/shown";
import { ItemsTab } from "./items/ItemsTab";
import { RetryStepButton, useRetrying, useUndoes } from "./Retrying";
import { canStartFrom } from "./retry";
import { RetryWait } from "./RetryWait";
import css from "./run.module.css";
import { PeopleSaid, WaitsForPeople } from "./StepPeople";
import { LinkAhead, SignalCame, WaitsForSignal } from "./StepSignal";
import { StepUndo } from "./StepUndo";

export type PanelTab = "what" | "items" | "input" | "output" | "attempts";

function Facts({ step, attempts, input }: { step: RunStep; attempts: readonly RunAttempt[]; input: Json }) {
  const { t } = useTranslation("runs");
  const last = attempts.at(-1);
  const key = keyOf(last, input);
  return (
    <dl className={css.facts}>
      {step.started_at && (
        <div>
          <dt>{t("step.started")}</dt>
          <dd>
            <ClockTime at={step.started_at} />
          </dd>
        </div>
      )}
      {step.started_at && (
        <div>
          <dt>{step.finished_at ? t("step.took") : t("step.soFar")}</dt>
          <dd>
            <Duration from={step.started_at} until={step.finished_at} />
          </dd>
        </div>
      )}
      {step.attempt > 1 && (
        <div>
          <dt>{t("step.tries")}</dt>
          <dd className="tn">{step.attempt}</dd>
        </div>
      )}
      {key.sent === "sent" && (
        <div className={css.wideFact}>
          <dt>{t("step.key")}</dt>
          <dd className={css.keyFact}>
            <Copy size={15} color="var(--cData)" aria-hidden />
            <code title={key.key}>{key.key}</code>
            <CopyButton text={key.key} />
          </dd>
        </div>
      )}
      {last?.effect_key && key.sent !== "sent" && (
        <div className={css.wideFact}>
          <dt>{t("step.repeat")}</dt>
          <dd>{t(`retry.key.${key.sent}`)}</dd>
        </div>
      )}
    </dl>
  );
}

function WaysOut({ node, spec, step }: { node: GraphNode; spec: StepSpec | undefined; step: RunStep }) {
  const { t } = useTranslation("runs");
  const labels = step.ports.map((port) => portLabel(spec, node, port)).filter(Boolean);
  if (labels.length === 0) return null;
  return (
    <p className={css.ways}>
      <ArrowRight size={15} aria-hidden />
      {t("step.wentOn", { ways: labels.join(", ") })}
    </p>
  );
}

function WhatHappened(props: {
  node: GraphNode;
  spec: StepSpec | undefined;
  step: RunStep | undefined;
  attempts: readonly RunAttempt[];
  input: Json;
  output: Json;
  run: Run;
}) {
  const { t } = useTranslation(["runs", "reconciliation"]);
  const format = useFormatter();
  const { node, spec, step, attempts, run } = props;
  const undoes = useUndoes(node.id);
  const retrying = useRetrying();
  if (undoes && (!step || step.status === "skipped")) return <p className={css.plain}>{t("undo.step.unused")}</p>;
  if (!step) {
    return (
      <>
        <p className={css.plain}>{run.finished_at ? t("step.neverReached") : t("step.notYet")}</p>
        <LinkAhead run={run} node={node} />
      </>
    );
  }
  const routed = step.status === "failed" && step.ports.includes("error");
  const people = step.status === "waiting" && step.wait?.kind === "human";
  const looksUp = step.wait?.kind === "look_up";
  const signal = step.status === "waiting" && step.wait?.kind === "event";
  return (
    <>
      {step.status === "failed" && step.error && (
        <ErrorBox error={step.error}>
          {routed && (
            <p className={css.ways}>
              <ArrowRight size={15} aria-hidden />
              {t("step.tookFailurePath")}
            </p>
          )}
        </ErrorBox>
      )}
      {step.status === "failed" && step.error?.retryable === false && (node.settings.retry?.attempts ?? 1) > step.attempt && (
        <p className={css.plain}>{t("step.notRetried")}</p>
      )}
      {step.status === "succeeded" && (
        <>
          <div className={css.plainRow}>
            <StatusChip kind="done" />
            {step.note && spec?.category !== "people" && !node.type.startsWith("flow.wait_") && <span className={css.noteText}>{step.note}</span>}
          </div>
          {step.error && <Note tone="wait">{t("step.carriedOn", { title: failureTitle(step.error) })}</Note>}
          <WaysOut node={node} spec={spec} step={step} />
          {spec?.category === "people" && <PeopleSaid output={props.output} />}
          <SignalCame node={node} output={props.output} />
          {node.type.startsWith("data.reconcile@") && (
            <Link className={css.ways} to="/reconciliations/$runId/$node" params={{ runId: run.id, node: node.id }}>
              <Scale size={15} aria-hidden />
              {t("reconciliation:openReport")}
            </Link>
          )}
        </>
      )}
      {step.status === "retrying" && (
        <>
          {step.error && <ErrorBox error={step.error} />}
          <RetryWait run={run} node={node} step={step} />
        </>
      )}
      {people && step.error && <ErrorBox error={step.error} />}
      {people && <WaitsForPeople run={run} step={step} />}
      {signal && <WaitsForSignal run={run} node={node} step={step} />}
      {step.status === "waiting" && !people && !signal && (
        <Note tone="wait" icon={<Clock size={16} />}>
          {looksUp ? (
            step.wait?.until ? t("step.looksUpAt", { time: format.clockSeconds(step.wait.until) }) : t("step.looksUp")
          ) : step.wait?.kind === "turn" && run.waiting?.broken != null ? (
            t("step.waitsBroken", { name: run.waiting.connection_name })
          ) : step.wait?.until && step.wait.kind === "turn" ? (
            t("step.waitsTurn", { time: format.clockOf(step.wait.until, Date.now()) })
          ) : step.wait?.until ? (
            t("step.waitsUntil", { time: format.exact(step.wait.until) })
          ) : (
            t(`step.waits_${step.wait?.kind ?? "timer"}`)
          )}
          {step.note && !step.wait?.until && <div>{localNote(step.note, format)}</div>}
        </Note>
      )}
      {looksUp && step.error && <ErrorBox error={step.error} />}
      {step.status === "running" && (
        <div className={css.plainRow}>
          <StatusChip kind="running" />
          {looksUp && <span className={css.noteText}>{t("step.lookingUp")}</span>}
        </div>
      )}
      {step.status === "ready" && <p className={css.plain}>{t("step.ready")}</p>}
      {step.status === "skipped" && <p className={css.plain}>{t("step.skipped")}</p>}
      {step.status === "cancelled" && <p className={css.plain}>{t("step.cancelled")}</p>}
      {step.status === "failed" && step.ports.length === 0 && retrying !== null && attempts.at(-1)?.effect_class === "queryable" && (
        <AskFirst about={{ run: run.id, node: node.id, start: [], version: null }} system="" settings={null} />
      )}
      <Facts step={step} attempts={attempts} input={props.input} />
      {(attempts.length > 1 || attempts.some((attempt) => doubtOf(attempt) !== null)) && (
        <section className={css.block}>
          <h3>{t("tab.attempts")}</h3>
          <AttemptLines attempts={attempts} />
        </section>
      )}
    </>
  );
}

export interface StepPanelProps {
  node: GraphNode;
  spec: StepSpec | undefined;
  tab: PanelTab;
  onTab: (tab: PanelTab) => void;
  onClose: () => void;
  onPrevious: (() => void) | undefined;
  onNext: (() => void) | undefined;
  onSelect: (node: string) => void;
  /** Opens an item of this container on the canvas; without it, the item's run is opened. */
  onItem: ((item: RunItem) => void) | undefined;
}

/** Everything about one step of the run: what happened, its data, its tries. */
export function StepPanel({ node, spec, tab, onTab, onClose, onPrevious, onNext, onSelect, onItem }: StepPanelProps) {
  const { t } = useTranslation(["runs", "items", "common"]);
  const id = useId();
  const run = useRun((state) => state.run);
  const step = useRunStep(node.id);
  const detail = useStepDetail(run?.id ?? "", step && run ? node.id : null, step?.seq ?? 0);
  const retrying = useRetrying();
  const undone = useUndone(node.id);
  const undoes = useUndoes(node.id);
  const owner = run?.id;
  const revealing = useMemo(() => (owner === undefined ? null : { run: owner, node: node.id }), [owner, node.id]);
  const pathsIn = useCallback((path: Path) => inputPath(node, path), [node]);
  const pathsOut = useCallback((path: Path) => outputPath(node, spec?.trigger ?? false, path), [node, spec]);
  if (!run) return null;
  const mayRetry = retrying !== null && !undoes && !spec?.trigger && (step?.status === "failed" || canStartFrom(step, spec));
  const attempts = detail.data?.attempts ?? [];
  // What it runs is one other run, not a list.
  const calls = isCall(node.type);
  const tabs: { key: PanelTab; label: string; count?: number }[] = [
    { key: "what", label: t("tab.what") },
    ...(step?.items && !calls ? [{ key: "items" as const, label: t("items:tab", { context: unitOf(node) }), count: step.items.total ?? step.items.started }] : []),
    { key: "input", label: t("tab.input") },
    { key: "output", label: t("tab.output") },
    { key: "attempts", label: t("tab.attempts"), count: attempts.length },
  ];
  const kind = undone ? "undone" : stepStatusKind(step);
  const subtitle = [
    spec?.title ?? node.type,
    step && step.attempt > 1 ? t("step.attempt", { attempt: step.attempt }) : t(`common:status.${kind}`),
  ].join(" · ");
  return (
    <section className={css.panel} aria-label={node.name}>
      <header className={css.panelHead}>
        <div className={css.panelTitle}>
          <Tile icon={spec?.icon} category={spec?.category ?? "app"} />
          <div>
            <h2 title={node.name}>{node.name}</h2>
            <small>{subtitle}</small>
          </div>
          <IconButton
            size="sm"
            label={t("step.previous")}
            icon={<ChevronLeft size={16} />}
            // Not disabled: whoever walks with it to the rim keeps the focus.
            aria-disabled={!onPrevious}
            onClick={onPrevious}
          />
          <IconButton
            size="sm"
            label={t("step.next")}
            icon={<ChevronRight size={16} />}
            aria-disabled={!onNext}
            onClick={onNext}
          />
          <IconButton size="sm" label={t("common:action.close")} icon={<X size={16} />} onClick={onClose} />
        </div>
        <div className={css.tabs} role="tablist" aria-label={node.name}>
          {tabs.map(({ key, label, count }, index) => (
            <button
              key={key}
              type="button"
              role="tab"
              id={`${id}-tab-${key}`}
              aria-controls={`${id}-panel`}
              aria-selected={tab === key}
              tabIndex={tab === key ? 0 : -1}
              onClick={() => onTab(key)}
              onKeyDown={(event) => {
                const move = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
                const next = tabs[(index + move + tabs.length) % tabs.length];
                if (!move || !next) return;
                event.preventDefault();
                onTab(next.key);
                document.getElementById(`${id}-tab-${next.key}`)?.focus();
              }}
            >
              {label}
              {count !== undefined && count > 0 && <span className={css.count}>{count}</span>}
            </button>
          ))}
        </div>
      </header>
      <MomentNote />
      <div
        className={css.panelBody}
        role="tabpanel"
        id={`${id}-panel`}
        aria-labelledby={`${id}-tab-${tab}`}
        tabIndex={0}
        aria-busy={detail.isFetching}
      >
        {node.parent !== undefined && <ItemBar container={node.parent} />}
        {tab === "what" && calls && step?.items && <CalledRun run={run.id} step={step} />}
        {tab === "items" && step?.items && <ItemsTab key={`${run.id} ${node.id}`} node={node} step={step} run={run.id} onOpen={undoes ? undefined : onItem} />}
        {tab === "what" && <StepUndo node={node} onSelect={onSelect} />}
        {tab === "what" && <WhatHappened key={node.id} node={node} spec={spec} step={step} attempts={attempts} input={detail.data?.input ?? null} output={detail.data?.output ?? null} run={run} />}
        {tab !== "what" && !step && <p className={css.plain}>{t("step.noData")}</p>}
        {tab !== "what" && tab !== "items" && step && detail.isPending && <SkeletonRows rows={5} label={t("step.loading")} />}
        {detail.isError && (
          <ErrorCard title={t("step.loadFailed")} error={detail.error} onRetry={() => void detail.refetch()} />
        )}
        <Revealing.Provider value={revealing}>
          {detail.data && tab === "input" && (
            <DataView
              key={`${run.id} ${node.id} input`}
              value={detail.data.input}
              empty={spec?.trigger ? t("step.noInputStart") : t("step.noInput")}
              searchable
              pathOf={pathsIn}
            />
          )}
          {detail.data && tab === "output" && (
            <DataView
              key={`${run.id} ${node.id} output`}
              value={detail.data.output}
              empty={step?.finished_at ? t("step.noOutput") : t("step.noOutputYet")}
              searchable
              pathOf={pathsOut}
            />
          )}
        </Revealing.Provider>
        {detail.data && tab === "attempts" && <AttemptsTab key={node.id} attempts={attempts} />}
      </div>
      {mayRetry && (
        <footer className={css.panelFoot}>
          <RetryStepButton node={node} spec={spec} />
        </footer>
      )}
      {spec?.trigger && run.mode !== "test" && (
        <footer className={css.panelFoot}>
          <Link to="/workflows/$id/settings" params={{ id: run.workflow.id }}>
            {t("step.aboutStart")}
          </Link>
        </footer>
      )}
    </section>
  );
}
