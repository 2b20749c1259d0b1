import { useNavigate } from "@tanstack/react-router";
import { ArrowRight } from "lucide-react";
import { useTranslation } from "react-i18next";

import { useRun } from "../../live";
import { Note } from "../../ui";
import { failedSteps } from "./items/shown";
import css from "./run.module.css";

/** Of a run whose items did not all end well: the way to them, where each can be gone on with. */
export function FailedBelow() {
  const { t } = useTranslation("runs");
  const navigate = useNavigate({ from: "/runs/$runId" });
  const steps = useRun((state) => state.steps);
  const graph = useRun((state) => state.graph);
  const found = graph ? failedSteps(graph, steps) : [];
  if (found.length === 0) return null;
  return (
    <Note tone="err">
      {found.map(({ node, items, calls }) => (
        <div key={node.id}>
          <b>{[...(items > 0 ? [t("facts.itemsFailed", { count: items })] : []), ...(calls > 0 ? [t("facts.callsFailed", { count: calls })] : [])].join(", ")}</b>
          <div>
            <button
              type="button"
              className={css.inlineLink}
              onClick={() =>
                void navigate({
                  search: ({ tab: _tab, ...rest }) => ({ ...rest, step: node.id, ...(items > 0 ? { tab: "items" as const } : {}) }),
                  replace: true,
                })
              }
            >
              <ArrowRight size={14} aria-hidden />
              {t(items > 0 ? "overview.toFailedItems" : "overview.goToStep", { name: node.name })}
            </button>
          </div>
        </div>
      ))}
    </Note>
  );
}
