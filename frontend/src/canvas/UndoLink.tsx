import { BaseEdge, type EdgeProps, getSmoothStepPath } from "@xyflow/react";

import { useRunStep } from "../live/runStore";
import { cx } from "../ui";
import { showsUndoLinks, useCanvas } from "./canvasStore";
import css from "./link.module.css";
import type { LinkRfEdge } from "./rfNodes";

/**
 * From a step to the one that undoes it: the only dashed line. In a run it lights up as the step is undone; it is faint
 * as long as nothing is.
 */
export function UndoLink(props: EdgeProps<LinkRfEdge>) {
  const shown = useCanvas((state) => state.near && showsUndoLinks(state));
  const detail = useCanvas((state) => state.detail);
  const motion = useCanvas((state) => state.motion);
  const run = useCanvas((state) => state.mode === "run");
  const status = useRunStep(props.target)?.status;
  if (!shown && !props.selected && !props.data?.near) return null;
  const [path] = getSmoothStepPath({
    sourceX: props.sourceX,
    sourceY: props.sourceY,
    sourcePosition: props.sourcePosition,
    targetX: props.targetX,
    targetY: props.targetY,
    targetPosition: props.targetPosition,
    borderRadius: 12,
    offset: 18,
  });
  const look = props.selected ? "accent" : "undo";
  const busy = run && (status === "running" || status === "retrying" || status === "waiting");
  const idle = run && !busy && status !== "succeeded" && status !== "failed";
  return (
    <>
      <BaseEdge
        path={path}
        interactionWidth={run ? 0 : 20}
        className={cx(css.link, css[`link_${look}`], css.undo, idle && css.undoIdle, run && !idle && css.taken, busy && motion !== "none" && css.undoMoving)}
        {...(detail === "block" ? {} : { markerEnd: `url(#mr-arrow-${look})` })}
      />
      {busy && motion === "full" && (
        <circle r="4" className={css.undoRunner}>
          <animateMotion dur="1.2s" repeatCount="indefinite" path={path} />
        </circle>
      )}
    </>
  );
}
