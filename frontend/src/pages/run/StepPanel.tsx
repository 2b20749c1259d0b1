import { Link } from "@tanstack/react-router";
import { ArrowRight, ChevronLeft, ChevronRight, CircleX, Clock, Copy, X } from "lucide-react";
import { type ReactNode, useId } from "react";
import { useTranslation } from "react-i18next";

import { useStepDetail } from "../../api/queries";
import type { GraphNode, Run, RunAttempt, RunError, RunStep, StepSpec } from "../../api/types";
import { portLabel } from "../../graph/ports";
import { useRun, useRunStep } from "../../live";
import {
  ClockTime,
  CopyButton,
  Duration,
  ErrorCard,
  IconButton,
  Note,
  SkeletonRows,
  StatusChip,
  StatusIcon,
  stepStatusKind,
  Tile,
  useFormatter,
} from "../../ui";
import ui from "../../ui/ui.module.css";
import { DataView } from "./DataView";
import css from "./run.module.css";

export type PanelTab = "what" | "input" | "output" | "attempts";

function TechnicalDetails({ error }: { error: RunError }) {
  const { t } = useTranslation(["runs", "common"]);
  const lines = [
    error.http_status ? `HTTP ${error.http_status}` : null,
    error.code,
    error.detail && error.detail !== error.message ? error.detail : null,
  ].filter((line): line is string => Boolean(line));
  return (
    <details className={ui.details}>
      <summary>{t("common:error.details")}</summary>
      <pre tabIndex={0}>{lines.join("\n")}</pre>
      <CopyButton text={lines.join("\n")} />
    </details>
  );
}

export function ErrorBox({ error, children }: { error: RunError; children?: ReactNode }) {
  return (
    <div className={ui.error}>
      <div className={ui.errorTitle}>
        <CircleX size={18} aria-hidden />
        <span>{error.title || error.message}</span>
      </div>
      {error.message && error.message !== error.title && <p>{error.message}</p>}
      {children}
      <TechnicalDetails error={error} />
    </div>
  );
}

function attemptKind(attempt: RunAttempt, last: boolean) {
  switch (attempt.status) {
    case "succeeded":
      return "done" as const;
    case "running":
    case "started":
      return "running" as const;
    case "waiting":
      return "waiting" as const;
    case "interrupted":
      return "retrying" as const;
    default:
      return last ? ("failed" as const) : ("retrying" as const);
  }
}

function AttemptLines({ attempts }: { attempts: readonly RunAttempt[] }) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  return (
    <ol className={css.attempts}>
      {[...attempts].reverse().map((attempt) => {
        const kind = attemptKind(attempt, attempt === attempts.at(-1));
        return (
          <li key={attempt.attempt}>
            <StatusIcon kind={kind} size={15} />
            <b className="tn">{attempt.attempt}</b>
            <span>{attempt.error?.title ?? t(`attempt.${kind}`)}</span>
            <small className="tn">
              {attempt.started_at && <ClockTime at={attempt.started_at} />}
              {attempt.duration_ms !== null && ` · ${format.duration(attempt.duration_ms)}`}
            </small>
          </li>
        );
      })}
    </ol>
  );
}

function Facts({ step, attempts }: { step: RunStep; attempts: readonly RunAttempt[] }) {
  const { t } = useTranslation("runs");
  const key = attempts.at(-1)?.effect_key;
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
      {key && (
        <div className={css.wideFact}>
          <dt>{t("step.key")}</dt>
          <dd className={css.keyFact}>
            <Copy size={15} color="var(--cData)" aria-hidden />
            <code title={key}>{key}</code>
            <CopyButton text={key} />
          </dd>
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
  run: Run;
}) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  const { node, spec, step, attempts, run } = props;
  if (!step) {
    return <p className={css.plain}>{run.finished_at ? t("step.neverReached") : t("step.notYet")}</p>;
  }
  const routed = step.status === "failed" && step.ports.includes("error");
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
            {step.note && <span className={css.noteText}>{step.note}</span>}
          </div>
          {step.error && <Note tone="wait">{t("step.carriedOn", { title: step.error.title })}</Note>}
          <WaysOut node={node} spec={spec} step={step} />
        </>
      )}
      {step.status === "retrying" && (
        <>
          {step.error && <ErrorBox error={step.error} />}
          <Note tone="wait" icon={<Clock size={16} />}>
            {step.wait?.until
              ? t("step.triesAgainAt", { time: format.clockSeconds(step.wait.until) })
              : t("step.triesAgain")}
          </Note>
        </>
      )}
      {step.status === "waiting" && (
        <Note tone="wait" icon={<Clock size={16} />}>
          {step.wait?.until
            ? t("step.waitsUntil", { time: format.exact(step.wait.until) })
            : t(`step.waits_${step.wait?.kind ?? "timer"}`)}
          {step.note && <div>{step.note}</div>}
        </Note>
      )}
      {step.status === "running" && (
        <div className={css.plainRow}>
          <StatusChip kind="running" />
        </div>
      )}
      {step.status === "ready" && <p className={css.plain}>{t("step.ready")}</p>}
      {step.status === "skipped" && <p className={css.plain}>{t("step.skipped")}</p>}
      {step.status === "cancelled" && <p className={css.plain}>{t("step.cancelled")}</p>}
      <Facts step={step} attempts={attempts} />
      {attempts.length > 1 && (
        <section className={css.block}>
          <h3>{t("tab.attempts")}</h3>
          <AttemptLines attempts={attempts} />
        </section>
      )}
    </>
  );
}

function AttemptsTab({ attempts }: { attempts: readonly RunAttempt[] }) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  if (attempts.length === 0) return <p className={css.plain}>{t("attempt.none")}</p>;
  return (
    <ol className={css.attemptCards}>
      {[...attempts].reverse().map((attempt) => {
        const kind = attemptKind(attempt, attempt === attempts.at(-1));
        const before = attempts.find((other) => other.attempt === attempt.attempt - 1);
        const pause =
          before?.finished_at && attempt.started_at
            ? Date.parse(attempt.started_at) - Date.parse(before.finished_at)
            : null;
        return (
          <li key={attempt.attempt} className={css.attemptCard}>
            <header>
              <StatusIcon kind={kind} size={17} />
              <b>{t("attempt.number", { number: attempt.attempt })}</b>
              <span>{t(`attempt.${kind}`)}</span>
              <small className="tn">
                {attempt.started_at && <ClockTime at={attempt.started_at} />}
                {attempt.duration_ms !== null && ` · ${format.duration(attempt.duration_ms)}`}
              </small>
            </header>
            {pause !== null && pause > 0 && (
              <p className={css.plain}>{t("attempt.waitedBefore", { time: format.duration(pause) })}</p>
            )}
            {attempt.error && <ErrorBox error={attempt.error} />}
            {attempt.request !== null && attempt.request !== undefined && (
              <details className={ui.details}>
                <summary>{t("attempt.request")}</summary>
                <DataView value={attempt.request} empty="" />
              </details>
            )}
            {attempt.response !== null && attempt.response !== undefined && (
              <details className={ui.details}>
                <summary>{t("attempt.response")}</summary>
                <DataView value={attempt.response} empty="" />
              </details>
            )}
          </li>
        );
      })}
    </ol>
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
}

/** Everything about one step of the run: what happened, its data, its tries. */
export function StepPanel({ node, spec, tab, onTab, onClose, onPrevious, onNext }: StepPanelProps) {
  const { t } = useTranslation(["runs", "common"]);
  const id = useId();
  const run = useRun((state) => state.run);
  const step = useRunStep(node.id);
  const detail = useStepDetail(run?.id ?? "", step && run ? node.id : null, step?.seq ?? 0);
  if (!run) return null;
  const attempts = detail.data?.attempts ?? [];
  const tabs: { key: PanelTab; label: string; count?: number }[] = [
    { key: "what", label: t("tab.what") },
    { key: "input", label: t("tab.input") },
    { key: "output", label: t("tab.output") },
    { key: "attempts", label: t("tab.attempts"), count: attempts.length },
  ];
  const kind = stepStatusKind(step);
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
      <div
        className={css.panelBody}
        role="tabpanel"
        id={`${id}-panel`}
        aria-labelledby={`${id}-tab-${tab}`}
        tabIndex={0}
        aria-busy={detail.isFetching}
      >
        {tab === "what" && <WhatHappened key={node.id} node={node} spec={spec} step={step} attempts={attempts} run={run} />}
        {tab !== "what" && !step && <p className={css.plain}>{t("step.noData")}</p>}
        {tab !== "what" && step && detail.isPending && <SkeletonRows rows={5} label={t("step.loading")} />}
        {detail.isError && (
          <ErrorCard title={t("step.loadFailed")} error={detail.error} onRetry={() => void detail.refetch()} />
        )}
        {detail.data && tab === "input" && (
          <DataView key={node.id} value={detail.data.input} empty={spec?.trigger ? t("step.noInputStart") : t("step.noInput")} />
        )}
        {detail.data && tab === "output" && (
          <DataView
            key={node.id}
            value={detail.data.output}
            empty={step?.finished_at ? t("step.noOutput") : t("step.noOutputYet")}
          />
        )}
        {detail.data && tab === "attempts" && <AttemptsTab key={node.id} attempts={attempts} />}
      </div>
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
