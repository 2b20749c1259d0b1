import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { useNodeTypes } from "../../api/queries";
import type { RunSnapshot, TaskDetail } from "../../api/types";
import { FlowCanvas } from "../../canvas";
import { createRunStore, RunStoreProvider } from "../../live";
import { doneOf } from "./before";
import css from "./context.module.css";

/** The picture of a run in small, with the step that asks; a link to the run at that step, which says the same in words. */
export default function RunPicture({ task, snapshot }: { task: TaskDetail; snapshot: RunSnapshot }) {
  const { t } = useTranslation("inbox");
  const specs = useNodeTypes().data;
  const store = useMemo(() => {
    const made = createRunStore();
    made.load(snapshot);
    return made;
  }, [snapshot]);
  const graph = store.getState().graph;
  if (!specs || !graph) return null;
  const { done, failed } = doneOf(graph, snapshot.steps);
  const words = [
    t("context.pictureLabel", { step: task.step, name: task.run.workflow.name }),
    t("context.pictureDone", { count: graph.nodes.length, done }),
    failed > 0 && t("context.pictureFailed", { count: failed }),
  ];
  return (
    <>
      <div inert className={css.drawn}>
        <RunStoreProvider value={store}>
          <FlowCanvas mode="run" readOnly still graph={graph} specs={specs} selected={task.node} />
        </RunStoreProvider>
      </div>
      <Link
        to="/runs/$runId"
        params={{ runId: task.run.id }}
        search={{ step: task.node }}
        className={css.over}
        aria-label={words.filter(Boolean).join(" ")}
        title={t("context.pictureOpen", { step: task.step })}
        data-testid="run-picture"
      />
    </>
  );
}
