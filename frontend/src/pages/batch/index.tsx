import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useQueryClient } from "@tanstack/react-query";
import { ChevronRight, RotateCcw } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { type Batch, type BatchCause, refreshBatch, useBatch } from "../../api/batches";
import { useCan, useWorkspace } from "../../api/session";
import type { Run } from "../../api/types";
import { useLiveRun } from "../../live";
import { Button, buttonClass, cx, ErrorCard, PageBody, segmentClass, segmentsClass, SkeletonRows, StatusChip, Time, TopBar, useFormatter } from "../../ui";
import { runStatusName, startedBy } from "../runs/words";
import { CancelRun } from "../run/CancelRun";
import css from "./batch.module.css";
import { FailedTab } from "./FailedTab";
import { FilesTab } from "./FilesTab";
import { ItemsTab } from "./ItemsTab";
import { Progress } from "./Progress";
import { RetryFailed } from "./RetryFailed";
import { TotalsTab } from "./TotalsTab";
import { statusOf } from "./status";
import { type BatchTab, TABS } from "./tabs";

const PauseRun = lazy(() => import("../run/PauseRun"));

/** The entries of a list that a run goes through, as they are done: how far, what failed, whether it adds up, the proof. */
export default function BatchPage() {
  const { t } = useTranslation(["batches", "runs", "common"]);
  const { runId, node } = useParams({ from: "/shell/batches/$runId/$node" });
  const search = useSearch({ from: "/shell/batches/$runId/$node" });
  const navigate = useNavigate({ from: "/batches/$runId/$node" });
  const found = useBatch(runId, node);
  const workspace = useWorkspace().id;
  const { store, reload } = useLiveRun(workspace, runId);
  const run = useStore(store, (state) => state.run);
  const graph = useStore(store, (state) => state.graph);
  const client = useQueryClient();
  const mayRetry = useCan("reviewer");
  const [retrying, setRetrying] = useState<{ cause: BatchCause | null } | null>(null);
  const batch = found.data;
  const [first, setFirst] = useState<BatchTab | null>(null);
  useEffect(() => {
    if (batch) setFirst((before) => before ?? (batch.causes.length > 0 ? "failed" : "items"));
  }, [batch]);
  useEffect(() => {
    document.title = `${batch?.name ?? t("title")} · Millrace`;
  }, [batch?.name, t]);
  const refresh = () => {
    void refreshBatch(client, workspace, runId, node);
    reload();
  };
  const waits = batch?.causes.reduce((sum, one) => sum + one.count, 0) ?? 0;
  // What was shown first stays: a list that empties because all went well does not make way for another.
  const tab: BatchTab = search.tab ?? first ?? (waits > 0 ? "failed" : "items");
  const loaded = batch !== undefined;
  useEffect(() => {
    // On a phone the last ones stand beside the screen.
    if (loaded) document.getElementById(`tab-${tab}`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [tab, loaded]);
  if (found.isError && !batch) {
    return (
      <>
        <TopBar title={t("title")} />
        <PageBody>
          <ErrorCard title={t("loadFailed")} error={found.error} onRetry={() => void found.refetch()} />
        </PageBody>
      </>
    );
  }
  return (
    <>
      <TopBar
        showWay
        crumbs={
          <>
            {run && (
              <>
                <Link to="/workflows/$id/runs" params={{ id: run.workflow.id }}>
                  {run.workflow.name}
                </Link>
                <ChevronRight size={14} aria-hidden />
              </>
            )}
            <Link to="/runs/$runId" params={{ runId }}>
              {run ? (run.business_key ?? t("runs:number", { number: run.short_id })) : "…"}
            </Link>
            <ChevronRight size={14} aria-hidden />
          </>
        }
        title={batch?.name ?? "…"}
        chips={batch && run && <Status batch={batch} run={run} />}
        actions={
          batch &&
          run && (
            <>
              <Suspense>
                <PauseRun run={run} onChanged={refresh} />
                {graph && <CancelRun run={run} graph={graph} onCancelled={refresh} />}
              </Suspense>
              {mayRetry && batch.can_retry_run ? (
                <Link className={buttonClass("primary")} to="/runs/$runId" params={{ runId }}>
                  <RotateCcw size={15} aria-hidden /> {t("retryRun")}
                </Link>
              ) : (
                mayRetry &&
                waits > 0 && (
                  <Button variant="primary" icon={<RotateCcw size={15} aria-hidden />} onClick={() => setRetrying({ cause: null })}>
                    {t("retryFailed", { count: waits })}
                  </Button>
                )
              )}
            </>
          )
        }
      />
      <PageBody>
        {!batch ? (
          <SkeletonRows rows={6} height={40} label={t("loading")} />
        ) : (
          <>
            {run && (
              <p className={css.began}>
                {t("runs:facts.started")} <Time at={run.accepted_at} /> · {t("runs:facts.by")} <b>{run.started_by_name ?? startedBy(run.started_by, (key, values) => t(`runs:${key}`, values))}</b>
              </p>
            )}
            <div className={css.grey} data-offline={found.isError || undefined}>
              <Progress batch={batch} />
            </div>
            {found.isError && <Offline at={found.dataUpdatedAt} />}
            <div className={cx(segmentsClass, css.tabs)} role="tablist" aria-label={t("tabs")}>
              {TABS.map((one) => (
                <button
                  key={one}
                  type="button"
                  role="tab"
                  id={`tab-${one}`}
                  aria-selected={tab === one}
                  aria-controls="batch-tab"
                  className={segmentClass}
                  data-on={tab === one || undefined}
                  onClick={() => void navigate({ search: { tab: one }, replace: true })}
                >
                  {t(`tab.${one}`)} {one === "failed" && <span className="tn">{waits}</span>}
                </button>
              ))}
            </div>
            <div id="batch-tab" role="tabpanel" aria-labelledby={`tab-${tab}`} className={cx(css.panel)}>
              {tab === "failed" && <FailedTab batch={batch} onRetry={(cause) => setRetrying({ cause })} />}
              {tab === "items" && <ItemsTab batch={batch} />}
              {tab === "totals" && <TotalsTab batch={batch} />}
              {tab === "files" && <FilesTab batch={batch} />}
            </div>
          </>
        )}
      </PageBody>
      {batch && retrying && (
        <RetryFailed
          batch={batch}
          cause={retrying.cause}
          onClose={() => {
            setRetrying(null);
            refresh();
          }}
        />
      )}
    </>
  );
}

function Status({ batch, run }: { batch: Batch; run: Run }) {
  const { t } = useTranslation(["batches", "runs"]);
  const format = useFormatter();
  const kind = statusOf(batch, run);
  const open = batch.running + batch.waiting;
  const label = run.cancel_requested && batch.open ? t("status.cancelling", { count: open, number: format.number(open) }) : run.paused ? t("status.paused") : batch.finished_at === null ? runStatusName(run, t) : t(batch.failed > 0 ? "status.withFailures" : "status.done");
  return <StatusChip kind={kind} label={label} />;
}

function Offline({ at }: { at: number }) {
  const { t } = useTranslation("batches");
  const format = useFormatter();
  return <p role="status">{t("offline", { at: format.clockSeconds(at) })}</p>;
}
