import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ChevronRight, FilePlus2, LayoutTemplate, PlayCircle } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { api, newIdempotencyKey } from "../../api/client";
import { EXAMPLE, workspacePath } from "../../api/queries";
import type { Page, Workflow } from "../../api/types";
import { ErrorCard } from "../../ui";
import css from "./setup.module.css";

function StartCard(props: { icon: ReactNode; title: string; text: string; onClick: () => void; busy?: boolean }) {
  return (
    <button type="button" className={css.start} onClick={props.onClick} disabled={props.busy}>
      {props.icon}
      <span>
        <b>{props.title}</b>
        <small>{props.text}</small>
      </span>
      <ChevronRight size={18} aria-hidden />
    </button>
  );
}

/** The three ways to begin: look at the working example, take a copy of it, or draw from nothing. */
export function StartCards({ workspace }: { workspace: string }) {
  const { t } = useTranslation("setup");
  const navigate = useNavigate();
  const client = useQueryClient();
  const base = workspacePath(workspace);
  const existing = useQuery({
    queryKey: [workspace, "workflows", "first"],
    queryFn: () => api.get<Page<Workflow>>(`${base}/workflows`, { query: { limit: 1 } }),
  });
  const example = existing.data?.items[0];
  const create = useMutation({
    mutationFn: (from: "blank" | "example") =>
      api.post<Workflow>(
        `${base}/workflows`,
        from === "blank"
          ? { name: t("start.blankName") }
          : { name: t("start.copyName"), from_example: EXAMPLE },
        { idempotencyKey: newIdempotencyKey() },
      ),
    onSuccess: (workflow) => {
      void client.invalidateQueries({ queryKey: [workspace, "workflows"] });
      void navigate({ to: "/workflows/$id/build", params: { id: workflow.id } });
    },
  });
  const open = (workflow: Workflow) =>
    void navigate({ to: "/workflows/$id/build", params: { id: workflow.id } });
  return (
    <div className={css.starts}>
      {create.isError && <ErrorCard title={t("start.failed")} error={create.error} />}
      {example && (
        <StartCard
          icon={<PlayCircle size={24} color="var(--cTrigger)" aria-hidden />}
          title={t("start.example")}
          text={t("start.exampleText", { name: example.name })}
          onClick={() => open(example)}
        />
      )}
      <StartCard
        icon={<LayoutTemplate size={24} color="var(--cLoop)" aria-hidden />}
        title={t("start.template")}
        text={t("start.templateText")}
        onClick={() => create.mutate("example")}
        busy={create.isPending}
      />
      <StartCard
        icon={<FilePlus2 size={24} color="var(--accent)" aria-hidden />}
        title={t("start.blank")}
        text={t("start.blankText")}
        onClick={() => create.mutate("blank")}
        busy={create.isPending}
      />
    </div>
  );
}
