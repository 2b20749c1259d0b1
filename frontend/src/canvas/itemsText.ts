import type { TFunction } from "i18next";

import { isRepeat, type GraphNode } from "../graph";
import type { StepItems } from "../api/types";

/** How the items of a container stand, in words; `t`: of the canvas. */
export function itemsText(node: Pick<GraphNode, "type">, items: StepItems, t: TFunction<"canvas">): string {
  const inside = items.failed_inside + items.failed_calls;
  return [
    // Of a repetition nobody knows beforehand how often; a list that is done is as long as what was begun.
    isRepeat(node)
      ? t("items.turns", { count: items.started })
      : items.total === null
        ? t("items.soFar", { done: items.done })
        : t("items.done", { done: items.done, total: items.total }),
    ...(items.failed > 0 ? [t("items.failed", { count: items.failed })] : []),
    ...(items.solved > 0 ? [t("items.solved", { count: items.solved })] : []),
    ...(items.left_out > 0 ? [t("items.leftOut", { count: items.left_out })] : []),
    ...(inside > 0 ? [t("items.failedInside", { count: inside })] : []),
  ].join(" · ");
}
