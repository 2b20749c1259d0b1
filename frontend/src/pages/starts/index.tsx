import { useParams } from "@tanstack/react-router";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { useWorkflow } from "../../api/queries";
import { ErrorCard, PageBody } from "../../ui";
import { WorkflowBar } from "../workflow/WorkflowBar";
import { PastStarts } from "./PastStarts";
import { Repeats } from "./Repeats";
import css from "./starts.module.css";

/** How a workflow is started: deliveries that came again, and starts for past times of its schedules. */
export default function StartsPage() {
  const { t } = useTranslation("starts");
  const { id } = useParams({ from: "/shell/workflows/$id/starts" });
  const query = useWorkflow(id);
  const workflow = query.data;
  useEffect(() => {
    document.title = `${t("title")} · ${workflow?.name ?? ""} · Millrace`;
  }, [t, workflow?.name]);
  return (
    <>
      <WorkflowBar id={id} workflow={workflow} tab="starts" />
      <PageBody>
        {query.isError && <ErrorCard error={query.error} onRetry={() => void query.refetch()} />}
        {workflow && (
          <div className={css.page}>
            <PastStarts workflow={workflow} />
            <Repeats workflow={id} />
          </div>
        )}
      </PageBody>
    </>
  );
}
