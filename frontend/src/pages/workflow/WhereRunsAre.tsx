import { Link, useNavigate } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";

import { useNodeTypes, useVersion } from "../../api/queries";
import { type Standing, useStanding } from "../../api/runSearch";
import type { GraphNode, Workflow } from "../../api/types";
import { FlowCanvas } from "../../canvas";
import { EmptyState, ErrorCard, Skeleton, useFormatter } from "../../ui";
import { type Kind, kindsOf, searchOf } from "./standing";
import css from "./where.module.css";

/** How many stand so at a step, leading to them. */
function Count({ workflow, node, kind, count }: { workflow: string; node: GraphNode; kind: Kind; count: number }) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  const words = t(`where.${kind}`, { count, number: format.number(count) });
  return (
    <Link
      to="/workflows/$id/runs"
      params={{ id: workflow }}
      search={((before: Record<string, unknown>) => ({ ...before, ...searchOf(node.id, kind), status: undefined })) as never}
      className={css.count}
      data-kind={kind}
      aria-label={t("where.show", { words, step: node.name })}
      // On a card the whole of it leads elsewhere, and the picture has keys of its own.
      onClick={(event) => event.stopPropagation()}
      onKeyDown={(event) => event.key === "Enter" && event.stopPropagation()}
    >
      {words}
    </Link>
  );
}

/** Where the workflow's live runs are now: how many stand at each step of its picture; a step shows them in the list. */
export default function WhereRunsAre({ workflow }: { workflow: Workflow }) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  const navigate = useNavigate();
  const specs = useNodeTypes();
  const version = useVersion(workflow.id, workflow.live?.version ?? null);
  const standing = useStanding(workflow.id);
  const counts = useMemo(() => new Map((standing.data ?? []).map((one) => [one.node, one])), [standing.data]);
  const words = (one: Standing | undefined): string =>
    kindsOf(one).map((kind) => t(`where.${kind}`, { count: one?.[kind] ?? 0, number: format.number(one?.[kind] ?? 0) })).join(" · ") || t("where.nobody");
  const counted = useCallback(
    (node: GraphNode) => kindsOf(counts.get(node.id)).map((kind) => <Count key={kind} workflow={workflow.id} node={node} kind={kind} count={counts.get(node.id)?.[kind] ?? 0} />),
    [counts, workflow.id],
  );
  const beside = useCallback(
    (node: GraphNode) => {
      const found = counted(node);
      return found.length > 0 ? <span className={css.counts}>{found}</span> : null;
    },
    [counted],
  );
  const show = (node: string): void => {
    void navigate({ to: "/workflows/$id/runs", params: { id: workflow.id }, search: (before: Record<string, unknown>) => ({ ...before, ...searchOf(node), status: undefined }) } as never);
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
        <FlowCanvas mode="build" readOnly graph={version.data.graph} specs={specs.data} summaries={summaries} label={t("where.title")} beside={beside} onSelect={(node) => node && show(node)} />
      </div>
      <ul className={css.list} aria-label={t("where.list")}>
        {busy.length === 0 && <li>{t("where.none")}</li>}
        {busy.map((node) => (
          <li key={node.id}>
            <button type="button" onClick={() => show(node.id)}>
              <b>{node.name}</b>
            </button>
            {counted(node)}
          </li>
        ))}
      </ul>
    </section>
  );
}
