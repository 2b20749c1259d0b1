import { useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Plus, Zap } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useRuns, useTriggers, useWorkflows } from "../../api/queries";
import { bodyOfCurl, fire } from "../../api/sample";
import { useCan, useWorkspace } from "../../api/session";
import type { Run, Workflow } from "../../api/types";
import { failureTitle } from "../../i18n/server";
import { useLiveRuns } from "../../live";
import {
  Button,
  buttonClass,
  Card,
  CopyBox,
  EmptyState,
  ErrorCard,
  PageBody,
  runStatusKind,
  sectionTitleClass,
  showToast,
  SkeletonRows,
  StatusIcon,
  type StatusKind,
  Time,
  TopBar,
  useErrorText,
  useFormatter,
} from "../../ui";
import { useWaitingText } from "../runs/waiting";
import { runTitle } from "../runs/words";
import { StartCards } from "../setup/StartCards";
import { Attention } from "./Attention";
import css from "./home.module.css";
import { Hours } from "./Hours";
import { NeedsYou } from "./NeedsYou";
import { Section } from "./parts";
import { Recent } from "./Recent";

const OPEN = ["accepted", "running", "waiting_timer", "waiting_event", "waiting_human", "parked", "compensating"];

function RunRow({ run }: { run: Run }) {
  const waitingText = useWaitingText();
  const kind = runStatusKind(run);
  return (
    <Link to="/runs/$runId" params={{ runId: run.id }} className={css.row}>
      <StatusIcon kind={kind} size={18} />
      <span className={css.rowText}>
        <b>{runTitle(run)}</b>
        <small>{[run.workflow.name, (run.error && failureTitle(run.error)) ?? waitingText(run) ?? run.current_step?.name].filter(Boolean).join(" · ")}</small>
      </span>
      <span className={css.rowEnd}>
        <Time at={run.accepted_at} />
      </span>
    </Link>
  );
}

/** So often at most is the page read anew, however many runs begin and end. */
const READ_EVERY = 2_000;

/** Reads the figures and lists of the page again a moment after a run changed. */
function useFresh(workspace: string) {
  const client = useQueryClient();
  const due = useRef<number | undefined>(undefined);
  useEffect(() => () => window.clearTimeout(due.current), []);
  useLiveRuns(null, () => {
    due.current ??= window.setTimeout(() => {
      due.current = undefined;
      for (const list of ["runs", "workflows"]) void client.invalidateQueries({ queryKey: [workspace, list] });
    }, READ_EVERY);
  });
}

interface FigureProps {
  kind?: StatusKind;
  label: string;
  value: string;
  status?: string[];
  alarm?: boolean;
}

function Figure({ kind, label, value, status, alarm }: FigureProps) {
  return (
    <Link to="/runs" search={{ since: "24h", mode: "live", ...(status ? { status } : {}) }} className={css.figure} data-alarm={alarm}>
      <span>
        {kind && <StatusIcon kind={kind} decorative />}
        {label}
      </span>
      <b>{value}</b>
    </Link>
  );
}

/** The day in one strip: how many runs, how many of the finished ones succeeded, what is open, what failed. */
function Today({ workflows }: { workflows: readonly Workflow[] }) {
  const { t } = useTranslation("workflows");
  const format = useFormatter();
  const sum = (pick: (workflow: Workflow) => number) =>
    workflows.reduce((total, workflow) => total + pick(workflow), 0);
  const done = sum((workflow) => workflow.stats_24h.done);
  const failed = sum((workflow) => workflow.stats_24h.failed);
  const open = sum((workflow) => workflow.stats_24h.waiting + workflow.stats_24h.running);
  const undone = sum((workflow) => workflow.stats_24h.undone);
  const total = sum((workflow) => workflow.stats_24h.all);
  const ended = done + failed + undone;
  // As the monitor rounds it; never 100 % while something failed.
  const share = ended === 0 ? null : done === ended ? 1 : Math.min(done / ended, 0.999);
  return (
    <Section title={t("home.today")}>
      <div className={css.today}>
        <div className={css.figures}>
          <Figure label={t("home.runs")} value={format.number(total)} />
          <Figure
            kind="done"
            label={t("home.succeeded")}
            value={share === null ? "–" : format.number(share, { style: "percent", maximumFractionDigits: 1 })}
            status={["completed"]}
          />
          <Figure kind="running" label={t("home.waiting")} value={format.number(open)} status={OPEN} />
          <Figure kind="failed" label={t("home.failed")} value={format.number(failed)} status={["dead_lettered"]} alarm={failed > 0} />
        </div>
        {total > 0 && (
          <div className={css.split} aria-hidden>
            <i style={{ flexGrow: done, background: "var(--ok)" }} />
            <i style={{ flexGrow: open, background: "var(--run)" }} />
            <i style={{ flexGrow: undone, background: "var(--ink2)" }} />
            <i style={{ flexGrow: failed, background: "var(--err)" }} />
          </div>
        )}
        <Hours />
      </div>
    </Section>
  );
}

/** What is under way now, then what ended last. */
function LatestRuns() {
  const { t } = useTranslation("workflows");
  const open = useRuns({ status: OPEN, mode: "live" }, 5);
  const latest = useRuns({ mode: "live" }, 10);
  const under = open.data?.pages[0]?.items ?? [];
  const known = new Set(under.map((run) => run.id));
  const runs = [...under, ...(latest.data?.pages[0]?.items ?? []).filter((run) => !known.has(run.id))].slice(0, 8);
  const error = open.error ?? latest.error;
  return (
    <Section title={t("home.latestRuns")} more={<Link to="/runs">{t("home.seeAll")}</Link>}>
      {error ? (
        <ErrorCard
          title={t("home.loadFailed")}
          error={error}
          onRetry={() => {
            void open.refetch();
            void latest.refetch();
          }}
        />
      ) : (
        <div className={css.rows}>
          {latest.isPending && <SkeletonRows rows={4} height={34} label={t("loading")} />}
          {runs.map((run) => (
            <RunRow key={run.id} run={run} />
          ))}
          {latest.data && runs.length === 0 && <p className={css.quiet}>{t("home.noRuns")}</p>}
        </div>
      )}
    </Section>
  );
}

/** While nothing has run yet: the one command that makes something happen. */
function TryIt({ workflow }: { workflow: Workflow }) {
  const { t } = useTranslation("workflows");
  const navigate = useNavigate();
  const errorText = useErrorText();
  const [firing, setFiring] = useState(false);
  const trigger = useTriggers(workflow.id).data?.find((one) => one.curl);
  // Nothing has run before, so the first run that shows up is the one that was fired: go and watch it.
  useLiveRuns(workflow.id, ([first]) => {
    if (first) void navigate({ to: "/runs/$runId", params: { runId: first.id } });
  });
  if (!trigger?.curl) return null;
  const fireNow = () => {
    setFiring(true);
    fire(trigger).catch((error: unknown) => {
      setFiring(false);
      showToast({ tone: "err", title: t("home.tryFailed"), text: errorText(error).title });
    });
  };
  return (
    <Card padded className={css.try}>
      <h2 className={sectionTitleClass}>{t("home.tryTitle")}</h2>
      <p style={{ color: "var(--ink2)" }}>{t("home.tryText", { name: workflow.name })}</p>
      <CopyBox text={trigger.curl} />
      <div style={{ display: "flex", gap: 10, flexWrap: "wrap", alignItems: "center" }}>
        {bodyOfCurl(trigger.curl) !== null && (
          <Button variant="primary" icon={<Zap size={15} aria-hidden />} busy={firing} onClick={fireNow}>
            {t("home.tryFire")}
          </Button>
        )}
        <Link to="/workflows/$id/build" params={{ id: workflow.id }} className={buttonClass()}>
          {t("home.tryOpen")}
        </Link>
      </div>
    </Card>
  );
}

/** A list of work, not of figures: what needs somebody, what is under way, what there is. */
export default function HomePage() {
  const { t } = useTranslation("workflows");
  const workspace = useWorkspace().id;
  const canBuild = useCan("builder");
  const list = useWorkflows({}, 100);
  const workflows = list.data?.pages.flatMap((page) => page.items) ?? [];
  useFresh(workspace);
  useEffect(() => {
    document.title = `${t("home.title")} · Millrace`;
  }, [t]);
  const ranBefore = workflows.some((workflow) => workflow.last_run !== null);
  const live = workflows.find((workflow) => workflow.live && workflow.enabled);
  return (
    <>
      <TopBar
        title={t("home.title")}
        actions={
          canBuild &&
          workflows.length > 0 && (
            <Link to="/workflows" search={{ new: true }} className={buttonClass("primary")}>
              <Plus size={16} aria-hidden />
              {t("new.button")}
            </Link>
          )
        }
      />
      <PageBody>
        {list.isError && (
          <ErrorCard title={t("loadFailed")} error={list.error} onRetry={() => void list.refetch()} />
        )}
        {list.isPending && <SkeletonRows rows={6} height={40} label={t("loading")} />}
        {list.data && workflows.length === 0 && (
          <EmptyState
            title={t("empty.title")}
            text={t("empty.text")}
            actions={<StartCards workspace={workspace} />}
          />
        )}
        {workflows.length > 0 && (
          <>
            {!ranBefore && live && <TryIt workflow={live} />}
            <NeedsYou />
            <Today workflows={workflows} />
            <div className={css.columns}>
              <div className={css.column}>
                <Attention workflows={workflows} />
                <LatestRuns />
              </div>
              <Recent workflows={workflows} />
            </div>
          </>
        )}
      </PageBody>
    </>
  );
}
