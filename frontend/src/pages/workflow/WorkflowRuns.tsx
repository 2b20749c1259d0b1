import { useParams, useSearch } from "@tanstack/react-router";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { useWorkflow } from "../../api/queries";
import { RunList } from "../runs/RunList";
import { WorkflowBar } from "./WorkflowBar";

export default function WorkflowRunsPage() {
  const { t } = useTranslation(["workflows", "runs"]);
  const { id } = useParams({ from: "/shell/workflows/$id/runs" });
  const search = useSearch({ from: "/shell/workflows/$id/runs" });
  const workflow = useWorkflow(id).data;
  useEffect(() => {
    document.title = `${t("runs:title")} · ${workflow?.name ?? ""} · Millrace`;
  }, [t, workflow?.name]);
  return (
    <>
      <WorkflowBar id={id} workflow={workflow} tab="runs" />
      <RunList search={search} workflow={id} />
    </>
  );
}
