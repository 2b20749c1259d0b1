import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowRight, History } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { fetchSnapshot, useTask } from "../../api/queries";
import { useKeyTimeline } from "../../api/runSearch";
import { useWorkspace } from "../../api/session";
import type { TaskDetail } from "../../api/types";
import { buttonClass, ErrorCard, SkeletonRows, StatusIcon, stepStatusKind, Time } from "../../ui";
import { FieldValue } from "../runs/RunTable";
import { eventBy, runTitle, startedBy } from "../runs/words";
import { eventsOfOthers, stepsBefore } from "./before";
import css from "./context.module.css";
import { useSaid } from "./said";

// It draws with what the pages of runs draw with, which is much to load beside a question.
const RunPicture = lazy(() => import("./RunPicture"));

/** So much is shown; the rest is behind the links. */
const MOST_STEPS = 8;

/** Beside a question, where there is room: its run, what happened in it before, and what became of its key earlier. */
export default function Context({ id }: { id: string }) {
  const { t } = useTranslation("inbox");
  const task = useTask(id, 0).data;
  return (
    <aside className={css.context} aria-label={t("context.title")}>
      {task ? (
        <>
          <OfRun task={task} />
          <Drawn task={task} />
          <Before task={task} />
          {task.run.business_key && <OfKey of={task.run.business_key} run={task.run.id} />}
        </>
      ) : (
        <SkeletonRows rows={6} label={t("loadingOne")} />
      )}
    </aside>
  );
}

function OfRun({ task: { run, node } }: { task: TaskDetail }) {
  const { t } = useTranslation("inbox");
  const { t: runs } = useTranslation("runs");
  const by = run.started_by_name ?? startedBy(run.started_by, runs as never);
  return (
    <section>
      <h3>{t("context.run")}</h3>
      <dl className={css.facts}>
        <div>
          <dt>{t(run.business_key ? "context.key" : "context.number")}</dt>
          <dd className={run.business_key ? undefined : "mono"}>{runTitle(run)}</dd>
        </div>
        <div>
          <dt>{t("context.workflow")}</dt>
          <dd>
            {run.workflow.name} · v{run.version}
          </dd>
        </div>
        <div>
          <dt>{t("context.started")}</dt>
          <dd>
            {by} · <Time at={run.accepted_at} />
          </dd>
        </div>
        {run.fields.map((field) => (
          <div key={field.name}>
            <dt>{field.label}</dt>
            <dd>
              <FieldValue field={field} />
            </dd>
          </div>
        ))}
      </dl>
      <Link to="/runs/$runId" params={{ runId: run.id }} search={{ step: node }} className={buttonClass("link")}>
        {t("context.seeRun")}
        <ArrowRight size={14} aria-hidden />
      </Link>
    </section>
  );
}

/** How the run stands: read once for all that is said of it here. */
function useRunOf(task: TaskDetail) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "inbox", "before", task.run.id, task.run.seq],
    queryFn: ({ signal }) => fetchSnapshot(workspace, task.run.id, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** The run in small, once there is time for it: the question comes first. */
function Drawn({ task }: { task: TaskDetail }) {
  const { t } = useTranslation("inbox");
  const run = useRunOf(task).data;
  const [free, setFree] = useState(false);
  useEffect(() => {
    if (typeof window.requestIdleCallback !== "function") {
      const timer = setTimeout(() => setFree(true), 300);
      return () => clearTimeout(timer);
    }
    const wish = window.requestIdleCallback(() => setFree(true), { timeout: 2_000 });
    return () => window.cancelIdleCallback(wish);
  }, []);
  return (
    <section>
      <h3>{t("context.picture")}</h3>
      <div className={css.picture}>
        {free && run && (
          <Suspense fallback={null}>
            <RunPicture key={run.seq} task={task} snapshot={run} />
          </Suspense>
        )}
      </div>
    </section>
  );
}

/** What was done before it was asked, the last first. */
function Before({ task }: { task: TaskDetail }) {
  const { t } = useTranslation("inbox");
  const query = useRunOf(task);
  const names = new Map(query.data?.graph.nodes.map((node) => [node.id, node.name]));
  const steps = stepsBefore(query.data?.steps ?? [], task.node);
  return (
    <section>
      <h3>{t("context.before")}</h3>
      {query.isPending && <SkeletonRows rows={3} label={t("context.loading")} />}
      {query.isError && <ErrorCard title={t("context.failed")} error={query.error} onRetry={() => void query.refetch()} />}
      {query.data && steps.length === 0 && <p className={css.none}>{t("context.first")}</p>}
      <ol className={css.list}>
        {steps.slice(0, MOST_STEPS).map((step) => (
          <li key={step.node}>
            <StatusIcon kind={stepStatusKind(step)} size={15} />
            <Link to="/runs/$runId" params={{ runId: task.run.id }} search={{ step: step.node }}>
              {names.get(step.node) ?? step.key}
            </Link>
            {step.finished_at && <Time at={step.finished_at} />}
          </li>
        ))}
      </ol>
      {steps.length > MOST_STEPS && <p className={css.none}>{t("context.moreSteps", { count: steps.length - MOST_STEPS })}</p>}
    </section>
  );
}

function OfKey({ of, run }: { of: string; run: string }) {
  const { t } = useTranslation("inbox");
  const { t: runs } = useTranslation("runs");
  const query = useKeyTimeline(of);
  const said = useSaid();
  const events = eventsOfOthers(query.data?.items ?? [], run);
  return (
    <section>
      <h3>{t("context.keyTitle", { key: of })}</h3>
      {query.isPending && <SkeletonRows rows={2} label={t("context.loading")} />}
      {query.isError && <ErrorCard title={t("context.failed")} error={query.error} onRetry={() => void query.refetch()} />}
      {query.data && events.length === 0 && <p className={css.none}>{t("context.noOther")}</p>}
      <ol className={css.list}>
        {events.map((event) => (
          <li key={`${event.run}${event.at}${event.kind}${event.by}`} data-long>
            <span>
              {runs(`timeline.kind.${event.kind}`, {
                who: eventBy(event, runs as never),
                what: event.text,
                outcome: event.called || said(event.outcome),
                context: event.by ? "by" : "alone",
              })}
            </span>
            {event.comment && <q>{event.comment}</q>}
            <small>
              <Link to="/runs/$runId" params={{ runId: event.run }}>
                {event.workflow.name} · <span className="mono">{event.short_id}</span>
              </Link>{" "}
              · <Time at={event.at} />
            </small>
          </li>
        ))}
      </ol>
      <Link to="/keys/$key" params={{ key: of }} className={buttonClass("link")}>
        <History size={14} aria-hidden />
        {t("context.all", { key: of })}
      </Link>
    </section>
  );
}
