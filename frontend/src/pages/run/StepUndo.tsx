import { ArrowRight, CircleX, Undo2 } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { GraphNode } from "../../api/types";
import { failureMessage, failureTitle } from "../../i18n/server";
import { useRun } from "../../live";
import { useFormatter } from "../../ui";
import { useShownGraph } from "./items/shown";
import { type StepUndo as Found, stepUndoOf } from "./undo";
import css from "./undo.module.css";

/** In the panel of a step: what became of undoing it, or what it undoes. It leads to the other one. */
export function StepUndo({ node, onSelect }: { node: GraphNode; onSelect: (node: string) => void }) {
  const words = useWords();
  const graph = useShownGraph();
  const steps = useRun((state) => state.steps);
  const found = graph && stepUndoOf(graph, steps, node.id);
  if (!found) return null;
  const failed = found.role === "action" && found.state === "failed";
  const Icon = failed ? CircleX : Undo2;
  const other = found.role === "undo" ? found.action : found.by;
  return (
    <button type="button" className={css.line} data-tone={failed ? "err" : "undo"} data-testid="step-undo" onClick={() => onSelect(other.id)}>
      <Icon size={16} aria-hidden />
      <span>{words(found)}</span>
      <ArrowRight size={15} aria-hidden />
    </button>
  );
}

function useWords(): (found: Found) => string {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  return (found) => {
    if (found.role === "undo") return t("undo.step.undoes", { name: found.action.name });
    const { name } = found.by;
    switch (found.state) {
      case "undone":
        return t("undo.step.undone", { name, time: found.step.finished_at ? format.clockSeconds(found.step.finished_at) : "" });
      case "undoing":
        return t("undo.step.undoing", { name });
      case "failed":
        return t("undo.step.failed", { name, title: found.step.error ? failureTitle(found.step.error) || failureMessage(found.step.error) : "" });
    }
  };
}
