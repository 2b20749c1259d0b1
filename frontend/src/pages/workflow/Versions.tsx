import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { ArrowLeft, History, Lock } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import { draftQuery, useNodeTypes, useVersion, useVersions, useWorkflow, workspacePath } from "../../api/queries";
import { useCan, useWorkspace } from "../../api/session";
import type { SavedDraft, Version } from "../../api/types";
import { FlowCanvas } from "../../canvas";
import {
  Button,
  buttonClass,
  Chip,
  ConfirmDialog,
  EmptyState,
  ErrorCard,
  Note,
  showToast,
  SkeletonRows,
  Time,
  useFormatter,
} from "../../ui";
import css from "./versions.module.css";
import { WorkflowBar } from "./WorkflowBar";

const INSETS = { top: 72 };

function groupByDay(versions: readonly Version[], dayOf: (at: string) => string): [string, Version[]][] {
  const days = new Map<string, Version[]>();
  for (const version of versions) {
    const day = dayOf(version.created_at);
    days.set(day, [...(days.get(day) ?? []), version]);
  }
  return [...days];
}

function RestoreDialog(props: { id: string; version: Version; draftChanged: boolean; onClose: () => void }) {
  const { t } = useTranslation("workflows");
  const { id, version } = props;
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const navigate = useNavigate();
  const restore = useMutation({
    mutationFn: async () => {
      const draft = await client.fetchQuery({ ...draftQuery(workspace, id), staleTime: 0 });
      const path = `${workspacePath(workspace)}/workflows/${id}/versions/${version.number}/restore`;
      return api.post<SavedDraft>(path, {}, { headers: { "If-Match": `"${draft.revision}"` } });
    },
    onSuccess: async () => {
      props.onClose();
      await client.invalidateQueries({ queryKey: [workspace, "draft", id] });
      await client.invalidateQueries({ queryKey: [workspace, "workflow", id] });
      showToast({
        title: t("versions.restored", { number: version.number }),
        action: {
          label: t("versions.openDraft"),
          run: () => void navigate({ to: "/workflows/$id/build", params: { id } }),
        },
      });
    },
  });
  return (
    <ConfirmDialog
      opened
      onClose={props.onClose}
      title={t("versions.restoreTitle", { number: version.number })}
      confirm={t("versions.restoreConfirm")}
      busy={restore.isPending}
      onConfirm={() => restore.mutate()}
    >
      {restore.isError && <ErrorCard title={t("versions.restoreFailed")} error={restore.error} />}
      <p>{t("versions.restoreText", { number: version.number })}</p>
      {props.draftChanged && <Note tone="wait">{t("versions.restoreLoses")}</Note>}
    </ConfirmDialog>
  );
}

function VersionStage(props: { id: string; number: number; draftChanged: boolean }) {
  const { t } = useTranslation("workflows");
  const { id, number } = props;
  const version = useVersion(id, number);
  const specs = useNodeTypes();
  const canBuild = useCan("builder");
  const navigate = useNavigate({ from: "/workflows/$id/versions" });
  const { step } = useSearch({ from: "/shell/workflows/$id/versions" });
  const chosen = useMemo(() => (step ? [step] : []), [step]);
  const [restoring, setRestoring] = useState(false);
  const error = version.error ?? specs.error;
  return (
    <div className={css.stage}>
      <div className={css.float}>
        <Link
          to="/workflows/$id/versions"
          params={{ id }}
          className={buttonClass("quiet", "sm")}
          aria-label={t("versions.close")}
        >
          <ArrowLeft size={15} aria-hidden />
        </Link>
        <Lock size={15} aria-hidden />
        <span>{t("versions.viewing", { number })}</span>
        {canBuild && version.data?.graph && (
          <Button size="sm" icon={<History size={14} aria-hidden />} onClick={() => setRestoring(true)}>
            {t("versions.restore")}
          </Button>
        )}
      </div>
      {error && (
        <div style={{ padding: "80px 24px" }}>
          <ErrorCard title={t("versions.loadFailed")} error={error} />
        </div>
      )}
      {version.data?.graph && specs.data && (
        <FlowCanvas
          key={number}
          mode="build"
          readOnly
          graph={version.data.graph}
          specs={specs.data}
          {...(version.data.summaries ? { summaries: version.data.summaries } : {})}
          insets={INSETS}
          selected={chosen}
          onSelect={(node: string | null) =>
            void navigate({
              search: ({ step: _old, ...rest }) => (node ? { ...rest, step: node } : rest),
              replace: true,
            })
          }
        />
      )}
      {restoring && version.data && (
        <RestoreDialog
          id={id}
          version={version.data}
          draftChanged={props.draftChanged}
          onClose={() => setRestoring(false)}
        />
      )}
    </div>
  );
}

export default function VersionsPage() {
  const { t } = useTranslation("workflows");
  const { id } = useParams({ from: "/shell/workflows/$id/versions" });
  const search = useSearch({ from: "/shell/workflows/$id/versions" });
  const format = useFormatter();
  const workflow = useWorkflow(id).data;
  const versions = useVersions(id);
  useEffect(() => {
    document.title = `${t("versions.title")} · ${workflow?.name ?? ""} · Millrace`;
  }, [t, workflow?.name]);
  const items = versions.data?.items ?? [];
  const shown = search.version ?? items[0]?.number;
  return (
    <>
      <WorkflowBar id={id} workflow={workflow} tab="versions" />
      {versions.isPending && <SkeletonRows label={t("versions.loading")} />}
      {versions.isError && (
        <div style={{ padding: 24 }}>
          <ErrorCard
            title={t("versions.loadFailed")}
            error={versions.error}
            onRetry={() => void versions.refetch()}
          />
        </div>
      )}
      {versions.data && items.length === 0 && (
        <EmptyState
          title={t("versions.empty")}
          text={t("versions.emptyText")}
          actions={
            <Link to="/workflows/$id/build" params={{ id }} className={buttonClass("primary")}>
              {t("versions.goBuild")}
            </Link>
          }
        />
      )}
      {items.length > 0 && (
        <div className={css.layout} data-viewing={search.version !== undefined}>
          <nav className={css.list} aria-label={t("versions.title")}>
            {groupByDay(items, (at) => format.day(at)).map(([day, list]) => (
              <section key={day} aria-label={day}>
                <h2 className={css.day}>{day}</h2>
                {list.map((version) => (
                  <Link
                    key={version.number}
                    to="/workflows/$id/versions"
                    params={{ id }}
                    search={{ version: version.number }}
                    className={css.item}
                    aria-current={version.number === shown}
                  >
                    <span className={css.itemHead}>
                      <b>{t("versions.view", { number: version.number })}</b>
                      {version.live && <Chip tone="ok">{t("versions.live")}</Chip>}
                      <small>
                        <Time at={version.created_at} />
                      </small>
                    </span>
                    {version.note && <p>{version.note}</p>}
                    {version.created_by && (
                      <small style={{ color: "var(--ink3)" }}>{t("versions.by", { name: version.created_by })}</small>
                    )}
                  </Link>
                ))}
              </section>
            ))}
          </nav>
          {shown !== undefined && (
            <VersionStage id={id} number={shown} draftChanged={workflow?.draft.changed ?? false} />
          )}
        </div>
      )}
    </>
  );
}
