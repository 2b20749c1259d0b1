import { type NodeProps, useUpdateNodeInternals } from "@xyflow/react";
import { Plus } from "lucide-react";
import { memo, Suspense, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import type { GraphNode, StepPort, StepSpec } from "../graph";
import { failureTitle } from "../i18n/server";
import { summaryText } from "../i18n/summaries";
import { useRunStep, useUndone } from "../live/runStore";
import { cx, StatusIcon, stepStatusKind, Tile } from "../ui";
import { useCanvas, useCanvasStore, useStepNode } from "./canvasStore";
import css from "./card.module.css";
import frame from "./frame.module.css";
import { itemsText } from "./itemsText";
import { useStepLabel } from "./labels";
import { Ports } from "./Ports";
import { ProblemBadge } from "./ProblemBadge";
import { MetaPill } from "./StepCard";

const NO_PORTS: readonly StepPort[] = [];

/** A step whose body is drawn inside it: a head like a card's, and the ground on which the other steps stand. */
export const ContainerFrame = memo(function ContainerFrame({ id, selected, dragging, width = 0, height = 0 }: NodeProps) {
  const { node, spec } = useStepNode(id);
  const mode = useCanvas((state) => state.mode);
  if (!node) return null;
  const shared = { node, spec, selected, dragging, width, height };
  return mode === "run" ? <RunFrame {...shared} /> : <BuildFrame {...shared} />;
});

interface FrameProps {
  node: GraphNode;
  spec: StepSpec | undefined;
  selected: boolean;
  dragging: boolean;
  width: number;
  height: number;
}

function BuildFrame(props: FrameProps) {
  const { node, spec } = props;
  const { t } = useTranslation("canvas");
  const problems = useCanvas((state) => state.problems[node.id]);
  const summary = summaryText(node, useCanvas((state) => state.summaries[node.id]));
  const changed = useCanvas((state) => state.changed.has(node.id));
  const beside = useCanvas((state) => state.beside);
  const tested = useRunStep(node.id)?.status;
  let second = summary ?? "";
  if (!spec) second = t("missingType", { type: node.type });
  else if (problems?.severity === "error" && !summary) second = t("needsSetup");
  if (node.settings.disabled) second = t("disabled");
  return (
    <Shell
      {...props}
      second={second}
      tone={second !== summary && !node.settings.disabled ? "wait" : undefined}
      className={cx(node.settings.disabled && frame.off)}
      status="build"
      changed={changed}
      aside={tested === "succeeded" || tested === "failed" ? <StatusIcon kind={tested === "succeeded" ? "done" : "failed"} size={18} decorative /> : null}
    >
      <ProblemBadge node={node.id} />
      {beside?.(node)}
    </Shell>
  );
}

function RunFrame(props: FrameProps) {
  const { node } = props;
  const { t } = useTranslation("canvas");
  const { t: common } = useTranslation("common");
  const step = useRunStep(node.id);
  const undone = useUndone(node.id);
  const summary = summaryText(node, useCanvas((state) => state.summaries[node.id]));
  const showItems = useCanvas((state) => state.items);
  const beside = useCanvas((state) => state.beside);
  const items = step?.items;
  const kind = undone ? "undone" : stepStatusKind(step);
  let second = summary ?? "";
  if (step?.error && step.status === "failed" && !items) second = failureTitle(step.error);
  else if (items) second = itemsText(node, items, t);
  else if (step?.status === "skipped") second = t("run.skipped");
  return (
    <Shell
      {...props}
      second={second}
      className={cx(css[`is_${step?.status === "waiting" && kind === "running" ? "running" : (step?.status ?? "not_started")}`], undone && frame.undone)}
      status={step?.status ?? "not_started"}
      statusWord={common(`status.${kind}`)}
      aside={<StatusIcon kind={kind} size={18} decorative />}
      cells={showItems && items ? <Suspense>{showItems(node)}</Suspense> : null}
    >
      {beside?.(node)}
    </Shell>
  );
}

interface ShellProps extends FrameProps {
  second: string;
  tone?: "wait" | undefined;
  className?: string;
  status: string;
  statusWord?: string;
  changed?: boolean;
  /** The status, in the head. */
  aside: React.ReactNode;
  /** The items of a run, in the head but not part of the button that it is. */
  cells?: React.ReactNode;
  children: React.ReactNode;
}

function Shell({ node, spec, selected, dragging, width, height, second, tone, className, status, statusWord, changed, aside, cells, children }: ShellProps) {
  const store = useCanvasStore();
  const { t } = useTranslation("canvas");
  const detail = useCanvas((state) => state.detail);
  const active = useCanvas((state) => state.active === node.id);
  const ports = useCanvas((state) => state.ports.get(node.id) ?? NO_PORTS);
  const canBuild = useCanvas((state) => state.mode === "build" && !state.readOnly);
  const inside = useCanvas((state) => state.inside.get(node.id) ?? 0);
  const dropping = useCanvas((state) => state.dropInto === node.id);
  const label = useStepLabel(node, [second, t("inside", { count: inside })].filter(Boolean).join(". "), statusWord);
  const refresh = useUpdateNodeInternals();
  const shape = `${width}|${height}|${ports.map((port) => port.id).join("|")}`;
  const measured = useRef(shape);
  useEffect(() => {
    if (measured.current === shape) return;
    measured.current = shape;
    refresh(node.id);
  }, [refresh, node.id, shape]);
  const add = (event: React.MouseEvent<HTMLElement>): void => {
    event.stopPropagation();
    const box = event.currentTarget.getBoundingClientRect();
    store.getState().build?.addInside(node.id, { clientX: box.left + box.width / 2, clientY: box.bottom });
  };
  return (
    <div
      className={cx(css.frame, frame.frame, selected && frame.selected, dragging && frame.dragging, dropping && frame.dropping, className)}
      role="group"
      aria-label={t("aria.container", { name: node.name, count: inside })}
      data-category={spec?.category ?? "loop"}
      data-detail={detail}
      data-testid={`step-${node.key}`}
      data-status={status}
      data-step={node.id}
    >
      <button
        type="button"
        className={frame.head}
        tabIndex={active ? 0 : -1}
        aria-label={label}
        aria-pressed={selected}
        onFocus={() => {
          if (store.getState().active !== node.id) store.setState({ active: node.id });
        }}
      >
        <Tile icon={spec?.icon} category={spec?.category ?? "loop"} size="sm" />
        {detail !== "block" && (
          <span className={frame.text}>
            <b title={node.name}>
              {changed && <i className={css.changed} title={t("changedSinceLive")} />}
              {node.name}
            </b>{" "}
            {detail === "full" && <small data-tone={tone} title={second}>{second}</small>}
          </span>
        )}
        {detail === "full" && <span className={css.right}>{aside}</span>}
      </button>
      {detail === "full" && cells && <div className={cx(frame.cells, "nodrag nopan")}>{cells}</div>}
      <div className={frame.body} data-body>
        {inside === 0 && detail !== "block" && (
          <div className={frame.empty}>
            {canBuild ? (
              <>
                <span>{t("dropHere")}</span>
                <button type="button" tabIndex={-1} className={cx("nodrag nopan", frame.add)} aria-label={t("addInside", { name: node.name })} onClick={add}>
                  <Plus size={16} aria-hidden />
                </button>
              </>
            ) : (
              <span>{t("nothingInside")}</span>
            )}
          </div>
        )}
      </div>
      <Ports node={node} spec={spec} ports={ports} canBuild={canBuild} undoes={false} width={width} height={height} />
      {detail === "full" && <MetaPill node={node} />}
      {children}
    </div>
  );
}
