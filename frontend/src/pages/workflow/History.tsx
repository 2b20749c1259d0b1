import { useParams } from "@tanstack/react-router";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { useWorkflow } from "../../api/queries";
import { ErrorCard, leadClass, PageBody } from "../../ui";
import History from "../history/History";
import { WorkflowBar } from "./WorkflowBar";

export default function WorkflowHistoryPage() {
  const { t } = useTranslation(["workflows", "audit"]);
  const { id } = useParams({ from: "/shell/workflows/$id/history" });
  const query = useWorkflow(id);
  const name = query.data?.name ?? "";
  useEffect(() => {
    document.title = `${t("tabs.history")} · ${name} · Millrace`;
  }, [t, name]);
  return (
    <>
      <WorkflowBar id={id} workflow={query.data} tab="history" />
      <PageBody>
        <p className={leadClass}>{t("audit:history.lead")}</p>
        {query.isError ? <ErrorCard error={query.error} onRetry={() => void query.refetch()} /> : <History what="workflows" id={id} />}
      </PageBody>
    </>
  );
}
