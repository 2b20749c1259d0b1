import { Link } from "@tanstack/react-router";
import { ArrowRight, Wrench } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { TaskDetail } from "../../api/types";
import { buttonClass, Note } from "../../ui";
import { skippable } from "./task";

/** Of an item of a list it is its own values that are put right, and that is done where all that failed of it stand. */
export function MendItem({ task }: { task: TaskDetail }) {
  const { t } = useTranslation("inbox");
  const { parent } = task.run;
  if (!parent || !skippable(task)) return null;
  return (
    <Note icon={<Wrench size={16} aria-hidden />}>
      {t(task.status === "open" ? "mendItem.open" : "mendItem.stopped")}{" "}
      <Link to="/batches/$runId/$node" params={{ runId: parent.run_id, node: parent.node_id }} search={{ tab: "failed" }} className={buttonClass("link")}>
        {t("mendItem.see")}
        <ArrowRight size={14} aria-hidden />
      </Link>
    </Note>
  );
}
