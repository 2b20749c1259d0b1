import { Link } from "@tanstack/react-router";
import { ChevronRight } from "lucide-react";
import { useTranslation } from "react-i18next";

import { useRunAbove } from "../../../api/items";
import type { Run, RunParent } from "../../../api/types";
import { runTitle } from "../../runs/words";

/** Of a run that is an item of another: the way up, "Invoice 4711 › For each line ›". */
export function RunCrumbs({ parent, depth = 0 }: { parent: RunParent; depth?: number }) {
  const above = useRunAbove(parent.run_id);
  const run = above.data?.run;
  const at = { runId: parent.run_id };
  return (
    <>
      {run?.parent && depth < 6 && <RunCrumbs parent={run.parent} depth={depth + 1} />}
      <Link to="/runs/$runId" params={at}>
        {run ? runTitle(run) : "…"}
      </Link>
      <ChevronRight size={14} aria-hidden />
      <Link to="/runs/$runId" params={at} search={{ step: parent.node_id }}>
        {parent.node_name}
      </Link>
      <ChevronRight size={14} aria-hidden />
    </>
  );
}

/** "3 of 5", and what people call it: which of the items this run is. */
export function ItemTitle({ run }: { run: Run }) {
  const { parent } = run;
  if (!parent?.is_item) return runTitle(run);
  return (
    <>
      <ItemNumber parent={parent} />
      {run.business_key && ` · ${run.business_key}`}
    </>
  );
}

function ItemNumber({ parent }: { parent: RunParent }) {
  const { t } = useTranslation("items");
  const above = useRunAbove(parent.run_id);
  const items = above.data?.steps.find((step) => step.node === parent.node_id && step.generation === above.data.run.generation)?.items;
  const total = items?.total ?? items?.started;
  return total ? t("itemOf", { number: parent.index + 1, total }) : t("item", { number: parent.index + 1 });
}
