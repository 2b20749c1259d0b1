import { type NodeProps, useUpdateNodeInternals } from "@xyflow/react";
import { RotateCcw, Clock, Undo2 } from "lucide-react";
import { memo, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { CARD, type GraphNode, isAction, type StepPort, type StepSpec } from "../graph";
import { localNote } from "../graph/notes";
import { doneNote } from "../graph/ports";
import { failureTitle } from "../i18n/server";
import { summaryText } from "../i18n/summaries";
import { useRunStep, useUndone } from "../live/runStore";
import { cx, StatusIcon, stepStatusKind, Tile, useFormatter } from "../ui";
import { useCanvas, useCanvasStore, useStepNode } from "./canvasStore";
import css from "./card.module.css";
import { useStepLabel } from "./labels";
import { Ports } from "./Ports";
import { ProblemBadge } from "./ProblemBadge";

const NO_PORTS: readonly StepPort[] = [];

/** A step on the canvas. Gets nothing but its id; everything else comes from keyed selectors. */
export const StepCard = memo(function StepCard({ id, selected, dragging }: NodeProps) {
  const { node, spec } = useStepNode(id);
  const mode = useCanvas((state) => state.mode);
  if (!node) return null;
  return mode === "run" ? (
    <RunCard node={node} spec={spec} selected={selected} dragging={dragging} />
  ) : (
    <BuildCard node={node} spec={spec} selected={selected} dragging={dragging} />
  );
});

interface CardProps {
  node: GraphNode;
  spec: StepSpec | undefined;
  selected: boolean;
  dragging: boolean;
}

function BuildCard({ node, spec, selected, dragging }: CardProps) {
  const { t } = useTranslation("canvas");
  const problems = useCanvas((state) => state.problems[node.id]);
  const summary = summaryText(node, useCanvas((state) => state.summaries[node.id]));
  const changed = useCanvas((state) => state.changed.has(node.id));
  const tested = useRunStep(node.id)?.status;
  const beside = useCanvas((state) => state.beside);
  // The server has no sentence for a step that lacks its set-up.
  const unset = problems?.severity === "error" && !summary;
  let second = summary || (spec ? spec.description : "");
  if (!spec) second = t("missingType", { type: node.type });
  else if (unset) second = t("needsSetup");
  if (node.settings.disabled) second = t("disabled");
  return (
    <Shell
      node={node}
      spec={spec}
      selected={selected}
      dragging={dragging}
      second={second}
      secondTone={unset ? "wait" : spec ? undefined : "err"}
      className={cx(node.settings.disabled && css.off, !spec && css.missing)}
      status="build"
      changed={changed}
      right={
        tested === "succeeded" || tested === "failed" ? <StatusIcon kind={tested === "succeeded" ? "done" : "failed"} size={18} decorative /> : undefined
      }
    >
      <ProblemBadge node={node.id} />
      {beside?.(node)}
    </Shell>
  );
}

function RunCard({ node, spec, selected, dragging }: CardProps) {
  const { t } = useTranslation("canvas");
  const { t: common } = useTranslation("common");
  const step = useRunStep(node.id);
  const summary = summaryText(node, useCanvas((state) => state.summaries[node.id]));
  const line = useCanvas((state) => state.told[node.id]);
  const motion = useCanvas((state) => state.motion);
  const format = useFormatter();
  const undoes = useCanvas((state) => state.undoes.has(node.id));
  const undone = useUndone(node.id);
  const beside = useCanvas((state) => state.beside);
  const kind = undone ? "undone" : stepStatusKind(step);
  let second = summary ?? spec?.description ?? node.type;
  switch (step?.status) {
    case "succeeded":
      second = (line?.generation === step.generation && line.text) || localNote(doneNote(spec, node, step), format) || summary || (step.duration_ms !== null ? format.duration(step.duration_ms) : second);
      break;
    case "failed":
      second = (step.error && failureTitle(step.error)) ?? second;
      break;
    case "running":
      second = step.attempt > 1 ? t("run.try", { attempt: step.attempt }) : t("run.running");
      break;
    case "retrying":
      second = step.wait?.until ? t("run.retryAt", { time: format.clockSeconds(step.wait.until) }) : ((step.error && failureTitle(step.error)) ?? second);
      break;
    case "waiting":
      second = step.wait?.until ? t("run.waitsUntil", { time: format.soon(step.wait.until, Date.now()) }) : localNote(step.note, format) || t("run.waits");
      break;
    case "skipped":
      second = t(undoes ? "run.undoUnused" : "run.skipped");
      break;
    default:
  }
  if (step?.status === "waiting" && step.wait?.kind === "turn") second = t("run.waitsTurn");
  if (step?.wait?.kind === "look_up") second = t("run.looksUp");
  // Its error stands beside the wait until somebody has said whether it happened.
  const asked = step?.wait?.kind === "human" && step.error?.kind === "in_doubt";
  if (asked) second = t("run.inDoubt");
  return (
    <Shell
      node={node}
      spec={spec}
      selected={selected}
      dragging={dragging}
      second={second}
      wraps={asked}
      className={cx(css[`is_${step?.status ?? "not_started"}`], undone && css.undone, step?.status === "running" && motion !== "none" && css.pulse)}
      status={step?.status ?? "not_started"}
      statusWord={common(`status.${kind}`)}
      right={<StatusIcon kind={kind} size={18} decorative />}
    >
      {beside?.(node)}
    </Shell>
  );
}

interface ShellProps extends CardProps {
  second: string;
  secondTone?: "wait" | "err" | undefined;
  /** The second line is a sentence that must be read as a whole. */
  wraps?: boolean;
  className?: string;
  status: string;
  statusWord?: string;
  changed?: boolean;
  right?: React.ReactNode | undefined;
  children: React.ReactNode;
}

function Shell({ node, spec, selected, dragging, second, secondTone, wraps, className, status, statusWord, changed, right, children }: ShellProps) {
  const store = useCanvasStore();
  const { t } = useTranslation("canvas");
  const detail = useCanvas((state) => state.detail);
  const active = useCanvas((state) => state.active === node.id);
  const ports = useCanvas((state) => state.ports.get(node.id) ?? NO_PORTS);
  const canBuild = useCanvas((state) => state.mode === "build" && !state.readOnly);
  const label = useStepLabel(node, second, statusWord);
  const refresh = useUpdateNodeInternals();
  const undoes = useCanvas((state) => state.undoes.has(node.id)) && isAction(spec);
  const shape = `${undoes}|${ports.map((port) => port.id).join("|")}`;
  const measured = useRef(shape);
  useEffect(() => {
    if (measured.current === shape) return;
    measured.current = shape;
    refresh(node.id);
  }, [refresh, node.id, shape]);
  return (
    <div
      className={cx(css.card, selected && css.selected, dragging && css.dragging, undoes && css.undoStep, className)}
      data-detail={detail}
      data-testid={`step-${node.key}`}
      data-status={status}
      data-step={node.id}
      data-undoes={undoes || undefined}
    >
      <button
        type="button"
        className={css.face}
        tabIndex={active ? 0 : -1}
        aria-label={label}
        aria-pressed={selected}
        onFocus={() => {
          if (store.getState().active !== node.id) store.setState({ active: node.id });
        }}
      >
        <Tile icon={spec?.icon} category={spec?.category ?? "app"} />
        {detail !== "block" && (
          <span className={css.text}>
            <b title={node.name}>
              {changed && <i className={css.changed} title={t("changedSinceLive")} />}
              {node.name}
            </b>{" "}
            {detail === "full" && <small data-tone={secondTone} data-wraps={wraps || undefined}>{second}</small>}
          </span>
        )}
        {detail === "full" && right && <span className={css.right}>{right}</span>}
      </button>
      <Ports node={node} spec={spec} ports={ports} canBuild={canBuild} undoes={undoes} width={CARD.width} height={CARD.height} />
      {undoes && detail === "full" && (
        <span className={css.undoMark} aria-hidden>
          <Undo2 size={12} /> {t("undo")}
        </span>
      )}
      {detail === "full" && <MetaPill node={node} />}
      {children}
    </div>
  );
}

/** Tries and time limit, on the lower edge: as they are set; of a run how often it was tried, where that was more than once. */
export function MetaPill({ node }: { node: GraphNode }) {
  const { t } = useTranslation("canvas");
  const format = useFormatter();
  const ofRun = useCanvas((state) => state.mode === "run");
  const tried = useRunStep(node.id)?.attempt ?? 0;
  const set = node.settings.retry?.attempts;
  const attempts = ofRun ? (tried > 1 ? tried : undefined) : set;
  const timeout = ofRun ? undefined : node.settings.timeout_seconds;
  if (attempts === undefined && timeout === undefined) return null;
  return (
    <span className={css.meta}>
      {attempts !== undefined && (
        <>
          <RotateCcw size={11} aria-hidden /> {t("tries", { count: attempts })}
        </>
      )}
      {timeout !== undefined && (
        <>
          <Clock size={11} aria-hidden /> {format.duration(timeout * 1000)}
        </>
      )}
    </span>
  );
}
