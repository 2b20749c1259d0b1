import { BaseEdge, EdgeLabelRenderer, type EdgeProps, getSmoothStepPath } from "@xyflow/react";
import { Plus, Zap } from "lucide-react";
import { memo } from "react";
import { useTranslation } from "react-i18next";

import { isContainer } from "../graph/containers";
import { isRepeat } from "../graph";
import { useRunEdge, useRunStep } from "../live/runStore";
import { cx } from "../ui";
import { type Detail, useCanvas, useCanvasStore, useStepNode } from "./canvasStore";
import css from "./link.module.css";
import type { LinkRfEdge } from "./rfNodes";
import { UndoLink } from "./UndoLink";

type Props = EdgeProps<LinkRfEdge>;

export const LinkEdge = memo(function LinkEdge(props: Props) {
  const mode = useCanvas((state) => state.mode);
  if (props.data?.undo) return <UndoLink {...props} />;
  return mode === "run" ? <RunLink {...props} /> : <BuildLink {...props} />;
});

function pathOf(props: Props): [path: string, x: number, y: number] {
  const [path, x, y] = getSmoothStepPath({
    sourceX: props.sourceX,
    sourceY: props.sourceY,
    sourcePosition: props.sourcePosition,
    targetX: props.targetX,
    targetY: props.targetY,
    targetPosition: props.targetPosition,
    borderRadius: 12,
    // At most half the gap between two rows, else the line has a jog behind its label.
    offset: 18,
  });
  return [path, x, y];
}

/** What is written on a link stands above every card, even the chosen one: where cards stand close it stays readable. */
const ABOVE = { zIndex: 1100 };
const BELOW = {};

/** What is pressed on a link stands above a container's frame only where the link is inside of it: no card loses a click. */
function usePressed(source: string): { zIndex?: number } {
  return useCanvas((state) => (state.depths.get(source) ?? 0) > 0) ? ABOVE : BELOW;
}

function BuildLink(props: Props) {
  const { t } = useTranslation("canvas");
  const store = useCanvasStore();
  const detail = useCanvas((state) => state.detail);
  const canBuild = useCanvas((state) => !state.readOnly && state.build !== null);
  const dropping = useCanvas((state) => state.dropLink === props.id);
  const pressed = usePressed(props.source);
  const [path, x, y] = pathOf(props);
  const failure = props.data?.failure ?? false;
  const label = props.data?.label ?? "";
  const look = props.selected || dropping ? "accent" : failure ? "err" : "edge";
  const insert = (event: React.MouseEvent<HTMLButtonElement>): void => {
    event.stopPropagation();
    const box = event.currentTarget.getBoundingClientRect();
    store.getState().build?.insertInto(props.id, { clientX: box.left + box.width / 2, clientY: box.bottom });
  };
  const labelled = failure || label !== "";
  return (
    <>
      <BaseEdge
        path={path}
        interactionWidth={20}
        className={cx(css.link, css[`link_${look}`])}
        {...arrow(detail, look)}
      />
      {detail === "full" && (
        <EdgeLabelRenderer>
          {labelled && (
            <span className={cx(css.label, failure && css.labelErr)} style={{ transform: atOwnPort(props, x, y), ...ABOVE }}>
              {failure && <Zap size={12} aria-hidden />}
              {failure ? t("fails") : label}
            </span>
          )}
          {canBuild && (
            <button
              type="button"
              tabIndex={-1}
              className={cx("nodrag nopan", css.plus, dropping && css.plusHot, labelled && css.plusLow)}
              style={{ transform: labelled ? at(props.targetX, props.targetY - 24) : at(x, y), ...pressed }}
              aria-label={t("insertHere")}
              title={t("insertHere")}
              onClick={insert}
            >
              <Plus size={14} aria-hidden />
            </button>
          )}
        </EdgeLabelRenderer>
      )}
    </>
  );
}

function RunLink(props: Props) {
  const { t } = useTranslation("canvas");
  const state = useRunEdge(props.id);
  const targetStep = useRunStep(props.target);
  const targetStatus = targetStep?.status;
  const target = useStepNode(props.target);
  const detail = useCanvas((canvas) => canvas.detail);
  const motion = useCanvas((canvas) => canvas.motion);
  const [path, x, y] = pathOf(props);
  const failure = props.data?.failure ?? false;
  const label = props.data?.label ?? "";
  const running = state === "taken" && targetStatus === "running";
  const look = running ? "run" : state === "taken" ? (failure ? "err" : "ok") : "edge";
  const words = failure ? t("fails") : label;
  // How much goes along it: the list that a container takes apart. How often something is repeated, nobody hands over.
  const items = state === "taken" && isContainer(target.spec) && !isRepeat(target.node) ? (targetStep?.items?.total ?? null) : null;
  const counted = items === null ? "" : t("linkItems", { count: items });
  const shown = state === "not_taken" ? [words, t("notTaken")].filter(Boolean).join(" · ") : [words, counted].filter(Boolean).join(" · ");
  return (
    <>
      <BaseEdge
        path={path}
        interactionWidth={0}
        className={cx(css.link, css[`link_${look}`], state === "taken" && css.taken, state === "not_taken" && css.notTaken)}
        {...arrow(detail, look)}
      />
      {running && motion === "full" && (
        <circle r="4" className={css.runner}>
          <animateMotion dur="1.2s" repeatCount="indefinite" path={path} />
        </circle>
      )}
      {detail === "full" && shown !== "" && (
        <EdgeLabelRenderer>
          <span
            className={cx(css.label, failure && state === "taken" && css.labelErr, state === "not_taken" && css.labelDim)}
            style={{ transform: atOwnPort(props, x, y, LOWER), ...ABOVE }}
            data-edge-state={state}
          >
            {failure && <Zap size={12} aria-hidden />}
            {shown}
          </span>
        </EdgeLabelRenderer>
      )}
    </>
  );
}

/** Arrow heads would be specks when zoomed out far, and cost as much to draw as the line. */
function arrow(detail: Detail, look: string): { markerEnd?: string } {
  return detail === "block" ? {} : { markerEnd: `url(#mr-arrow-${look})` };
}

/** How far below its port a name stands, and by how much the one in the middle stands lower where names are long. */
const BELOW_PORT = 14;
const LOWER = 22;

/** Where the name of a link stands: half-way, or at its port where the links of one step come close to each other. */
function atOwnPort(props: Props, x: number, y: number, lower = 0): string {
  const slot = props.data?.slot ?? null;
  return slot === null ? at(x, y) : at(props.sourceX, props.sourceY + BELOW_PORT + (slot % 2) * lower);
}

function at(x: number, y: number): string {
  return `translate(-50%, -50%) translate(${x}px, ${y}px)`;
}
