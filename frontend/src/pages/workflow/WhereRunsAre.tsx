import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { useNodeTypes, useVersion } from "../../api/queries";
import { type Standing, useStanding } from "../../api/runSearch";
import type { Workflow } from "../../api/types";
import { FlowCanvas } from "../../canvas";
import { EmptyState, ErrorCard, Skeleton, useFormatter } from "../../ui";
import css from "./where.module.css";

/** Where the workflow's live runs are now: how many stand at each step of its picture; a step shows them in the list. */
export default function WhereRunsAre({ workflow }: { workflow: Workflow }) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  const navigate = useNavigate();
  const specs = useNodeTypes();
  const version = useVersion(workflow.id, workflow.live?.version ?? null);
  const standing = useStanding(workflow.id);
  const counts = useMemo(() => new Map((standing.data ?? []).map((one) => [one.node, one])), [standing.data]);
  const words = (one: Standing | undefined): string => {
    if (!one) return t("where.nobody");
    const parts = (["running", "waiting", "failed"] as const).filter((kind) => one[kind] > 0).map((kind) => t(`where.${kind}`, { count: one[kind], number: format.number(one[kind]) }));
    return parts.join(" · ") || t("where.nobody");
  };
  const show = (node: string): void => {
    void navigate({ to: "/workflows/$id/runs", params: { id: workflow.id }, search: (before: Record<string, unknown>) => ({ ...before, q: `step:${node}`, status: undefined }) } as never);
  };
  if (workflow.live === null) return <EmptyState plain title={t("where.notLive")} />;
  const error = version.error ?? specs.error ?? standing.error;
  if (error) return <ErrorCard title={t("where.failed")} error={error} onRetry={() => void Promise.all([version.refetch(), standing.refetch()])} />;
  if (!version.data?.graph || !specs.data || !standing.data) return <Skeleton height={360} />;
  const summaries = Object.fromEntries(version.data.graph.nodes.map((node) => [node.id, words(counts.get(node.id))]));
  const busy = version.data.graph.nodes.filter((node) => counts.has(node.id));
  return (
    <section className={css.where} aria-label={t("where.title")}>
      <div className={css.canvas}>
        <FlowCanvas mode="build" readOnly graph={version.data.graph} specs={specs.data} summaries={summaries} label={t("where.title")} onSelect={(node) => node && show(node)} />
      </div>
      <ul className={css.list} aria-label={t("where.list")}>
        {busy.length === 0 && <li>{t("where.none")}</li>}
        {busy.map((node) => (
          <li key={node.id}>
            <button type="button" onClick={() => show(node.id)}>
              <b>{node.name}</b> {words(counts.get(node.id))}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
