import { Link, useNavigate } from "@tanstack/react-router";
import { CircleCheck, FilePen, TriangleAlert, Zap } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { useRuns, useTriggers, useWorkflows } from "../../api/queries";
import { bodyOfCurl, fire } from "../../api/sample";
import { useCan, useWorkspace } from "../../api/session";
import type { Run, Workflow } from "../../api/types";
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
import { WorkflowChips } from "../workflow/WorkflowBar";
import css from "./home.module.css";

const OPEN = ["accepted", "running", "waiting_timer", "waiting_event", "waiting_human", "parked", "compensating"];

function Section(props: { title: string; more?: ReactNode; children: ReactNode }) {
  return (
    <section className={css.section} aria-label={props.title}>
      <div className={css.sectionHead}>
        <h2 className={sectionTitleClass}>{props.title}</h2>
        {props.more}
      </div>
      {props.children}
    </section>
  );
}

function RunRow({ run }: { run: Run }) {
  const waitingText = useWaitingText();
  const kind = runStatusKind(run);
  return (
    <Link to="/runs/$runId" params={{ runId: run.id }} className={css.row}>
      <StatusIcon kind={kind} size={18} />
      <span className={css.rowText}>
        <b>{runTitle(run)}</b>
        <small>{[run.workflow.name, run.error?.title ?? waitingText(run) ?? run.current_step?.name].filter(Boolean).join(" · ")}</small>
      </span>
      <span className={css.rowEnd}>
        <Time at={run.accepted_at} />
      </span>
    </Link>
  );
}

function Figure(props: { kind: StatusKind; label: string; value: number; status: string[] }) {
  const format = useFormatter();
  return (
    <Link to="/runs" search={{ status: props.status }} className={css.figure}>
      <span>
        <StatusIcon kind={props.kind} decorative />
        {props.label}
      </span>
      <b>{format.number(props.value)}</b>
    </Link>
  );
}

function Today({ workflows }: { workflows: readonly Workflow[] }) {
  const { t } = useTranslation("workflows");
  const sum = (pick: (workflow: Workflow) => number) =>
    workflows.reduce((total, workflow) => total + pick(workflow), 0);
  return (
    <Section title={t("home.today")}>
      <div className={css.today}>
        <Figure
          kind="done"
          label={t("home.done")}
          value={sum((workflow) => workflow.stats_24h.done)}
          status={["completed"]}
        />
        <Figure
          kind="failed"
          label={t("home.failed")}
          value={sum((workflow) => workflow.stats_24h.failed)}
          status={["dead_lettered"]}
        />
        <Figure
          kind="waiting"
          label={t("home.open")}
          value={sum((workflow) => workflow.stats_24h.waiting + workflow.stats_24h.running)}
          status={OPEN}
        />
      </div>
    </Section>
  );
}

function Attention({ workflows }: { workflows: readonly Workflow[] }) {
  const { t } = useTranslation("workflows");
  const format = useFormatter();
  const canBuild = useCan("builder");
  const failed = useRuns({ status: ["dead_lettered"], mode: "live" }, 5);
  const runs = failed.data?.pages[0]?.items ?? [];
  const drafts = canBuild
    ? workflows.filter((workflow) => workflow.problems_count > 0 || (workflow.live && workflow.draft.changed))
    : [];
  const more = failed.data?.pages[0]?.next_cursor;
  return (
    <Section
      title={t("home.attention")}
      more={
        more && (
          <Link to="/runs" search={{ status: ["dead_lettered"] }}>
            {t("home.seeAll")}
          </Link>
        )
      }
    >
      {failed.isError ? (
        <ErrorCard title={t("home.loadFailed")} error={failed.error} onRetry={() => void failed.refetch()} />
      ) : (
        <div className={css.rows}>
          {failed.isPending && <SkeletonRows rows={3} height={34} label={t("loading")} />}
          {runs.map((run) => (
            <RunRow key={run.id} run={run} />
          ))}
          {drafts.slice(0, 5).map((workflow) => (
            <Link
              key={workflow.id}
              to="/workflows/$id/build"
              params={{ id: workflow.id }}
              className={css.row}
            >
              {workflow.problems_count > 0 ? (
                <TriangleAlert size={18} color="var(--wait)" aria-hidden />
              ) : (
                <FilePen size={18} color="var(--idle)" aria-hidden />
              )}
              <span className={css.rowText}>
                <b>{workflow.name}</b>
                <small>
                  {workflow.problems_count > 0
                    ? t("home.problems", { count: workflow.problems_count })
                    : t("home.unpublished")}
                </small>
              </span>
              <span className={css.rowEnd}>{workflow.problems_count > 0 ? t("home.fix") : t("home.look")}</span>
            </Link>
          ))}
          {failed.data && runs.length === 0 && drafts.length === 0 && (
            <p className={css.quiet}>
              <CircleCheck size={18} color="var(--ok)" aria-hidden />
              {t("home.attentionNone")}
              <small>{t("home.lastChecked", { time: format.clock(failed.dataUpdatedAt) })}</small>
            </p>
          )}
        </div>
      )}
    </Section>
  );
}

function UnderWay() {
  const { t } = useTranslation("workflows");
  const open = useRuns({ status: OPEN }, 5);
  const runs = open.data?.pages[0]?.items ?? [];
  return (
    <Section
      title={t("home.waiting")}
      more={
        open.data?.pages[0]?.next_cursor && (
          <Link to="/runs" search={{ status: OPEN }}>
            {t("home.seeAll")}
          </Link>
        )
      }
    >
      {open.isError ? (
        <ErrorCard title={t("home.loadFailed")} error={open.error} onRetry={() => void open.refetch()} />
      ) : (
        <div className={css.rows}>
          {open.isPending && <SkeletonRows rows={2} height={34} label={t("loading")} />}
          {runs.map((run) => (
            <RunRow key={run.id} run={run} />
          ))}
          {open.data && runs.length === 0 && <p className={css.quiet}>{t("home.waitingNone")}</p>}
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
  const list = useWorkflows({}, 100);
  const workflows = list.data?.pages.flatMap((page) => page.items) ?? [];
  useEffect(() => {
    document.title = `${t("home.title")} · Millrace`;
  }, [t]);
  const ranBefore = workflows.some((workflow) => workflow.last_run !== null);
  const live = workflows.find((workflow) => workflow.live && workflow.enabled);
  return (
    <>
      <TopBar title={t("home.title")} />
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
            <Today workflows={workflows} />
            <div className={css.columns}>
              <div style={{ display: "grid", gap: 20 }}>
                <Attention workflows={workflows} />
                <UnderWay />
              </div>
              <Section title={t("home.recent")} more={<Link to="/workflows">{t("home.seeAll")}</Link>}>
                <div className={css.rows}>
                  {workflows.slice(0, 6).map((workflow) => (
                    <Link
                      key={workflow.id}
                      to="/workflows/$id/build"
                      params={{ id: workflow.id }}
                      className={css.row}
                    >
                      <span className={css.rowText}>
                        <b>{workflow.name}</b>
                        <small>{workflow.sentence || workflow.description || t("noSteps")}</small>
                      </span>
                      <WorkflowChips workflow={workflow} />
                    </Link>
                  ))}
                </div>
              </Section>
            </div>
          </>
        )}
      </PageBody>
    </>
  );
}
