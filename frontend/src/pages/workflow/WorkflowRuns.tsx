import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { MapPinned } from "lucide-react";
import { lazy, Suspense, useEffect } from "react";
import { useTranslation } from "react-i18next";

import { useWorkflow } from "../../api/queries";
import type { Workflow } from "../../api/types";
import { Button, Skeleton } from "../../ui";
import { RunList } from "../runs/RunList";
import { WorkflowBar } from "./WorkflowBar";

const WhereRunsAre = lazy(() => import("./WhereRunsAre"));

/** A picture over the list, for whoever asks for it. */
function Where({ workflow }: { workflow: Workflow }) {
  const { t } = useTranslation("runs");
  const navigate = useNavigate({ from: "/workflows/$id/runs" });
  const { where: shown = false } = useSearch({ from: "/shell/workflows/$id/runs" });
  const turn = () => void navigate({ search: ({ where, ...rest }) => (where ? rest : { ...rest, where: true }), replace: true });
  return (
    <>
      <div>
        <Button size="sm" icon={<MapPinned size={14} aria-hidden />} aria-expanded={shown} onClick={turn}>
          {t("where.button")}
        </Button>
      </div>
      {shown && (
        <Suspense fallback={<Skeleton height={360} />}>
          <WhereRunsAre workflow={workflow} />
        </Suspense>
      )}
    </>
  );
}

export default function WorkflowRunsPage() {
  const { t } = useTranslation(["workflows", "runs"]);
  const { id } = useParams({ from: "/shell/workflows/$id/runs" });
  const { where: _where, ...search } = useSearch({ from: "/shell/workflows/$id/runs" });
  const workflow = useWorkflow(id).data;
  useEffect(() => {
    document.title = `${t("runs:title")} · ${workflow?.name ?? ""} · Millrace`;
  }, [t, workflow?.name]);
  return (
    <>
      <WorkflowBar id={id} workflow={workflow} tab="runs" />
      <RunList search={search} workflow={id} above={workflow && <Where workflow={workflow} />} />
    </>
  );
}
