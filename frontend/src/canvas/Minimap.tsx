import { MiniMap, useStore } from "@xyflow/react";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";

import { useRun } from "../live/runStore";
import { statusColour, stepStatusKind } from "../ui";
import css from "./canvas.module.css";
import { useCanvas } from "./canvasStore";
import type { StepRfNode } from "./rfNodes";

const SMALLEST = 25;
const NARROWEST = 700;

/** The whole flow in small; appears from 25 steps on where there is room. */
export function CanvasMinimap() {
  const { t } = useTranslation("canvas");
  const count = useCanvas((state) => state.nodes.size);
  const wide = useStore((state) => state.width >= NARROWEST);
  const mode = useCanvas((state) => state.mode);
  const steps = useRun((state) => (mode === "run" ? state.steps : null));
  const colour = useCallback(
    (node: StepRfNode) => {
      if (node.selected) return "var(--accent)";
      const step = steps?.[node.id];
      if (node.type === "container") return step?.status === "failed" ? "var(--errSoft)" : "var(--cLoopS)";
      return step ? statusColour(stepStatusKind(step)) : "var(--edge)";
    },
    [steps],
  );
  if (count < SMALLEST || !wide) return null;
  return (
    <MiniMap<StepRfNode>
      pannable
      zoomable
      className={css.minimap ?? ""}
      style={{ width: 160, height: 120 }}
      nodeColor={colour}
      nodeBorderRadius={14}
      bgColor="var(--surface)"
      maskColor="color-mix(in srgb, var(--canvas) 70%, transparent)"
      maskStrokeColor="var(--accent)"
      maskStrokeWidth={6}
      ariaLabel={t("minimap")}
    />
  );
}
