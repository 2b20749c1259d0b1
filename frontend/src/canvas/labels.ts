import { useTranslation } from "react-i18next";

import type { GraphNode } from "../graph";
import { useCanvas } from "./canvasStore";

/** What a screen reader says of a card: "Step 5 of 9, Post line to ERP. Status 503. Failed. 1 problem." */
export function useStepLabel(node: GraphNode, second: string, status: string | undefined): string {
  const { t } = useTranslation("canvas");
  const number = useCanvas((state) => state.numbers.get(node.id) ?? 0);
  const total = useCanvas((state) => state.nodes.size);
  const problems = useCanvas((state) => state.problems[node.id]?.count ?? 0);
  const undone = useCanvas((state) => state.nodes.get(state.undoes.get(node.id) ?? "")?.name);
  const parts = [t("aria.step", { number, total, name: node.name })];
  // The visible lines first and together: who says what they see must be understood.
  if (second) parts.push(second);
  if (undone !== undefined) parts.push(t("undoes", { name: undone }));
  if (status) parts.push(status);
  if (problems > 0) parts.push(t("problems", { count: problems }));
  return `${parts.join(". ")}.`;
}
