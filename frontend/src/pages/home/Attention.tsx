import { Link } from "@tanstack/react-router";
import { CalendarClock, FilePen, TriangleAlert, Unplug } from "lucide-react";
import { useTranslation } from "react-i18next";

import { useConnections, useDeadLetters, useRuns } from "../../api/queries";
import { useCan } from "../../api/session";
import type { Connection, Run, Workflow } from "../../api/types";
import { failureTitle } from "../../i18n/server";
import { SkeletonRows, StatusIcon, Time, useFormatter } from "../../ui";
import { expiryOf } from "../connections/life";
import { runTitle } from "../runs/words";
import { dayOf } from "../schedules/days";
import css from "./home.module.css";
import { Action, Nothing, Section, Unread } from "./parts";

interface Failing {
  workflow: Run["workflow"];
  latest: Run;
  count: number;
}

/** One row a workflow, the one that failed last on top. */
function byWorkflow(runs: readonly Run[]): Failing[] {
  const found = new Map<string, Failing>();
  for (const run of runs) {
    const known = found.get(run.workflow.id);
    if (known) known.count += 1;
    else found.set(run.workflow.id, { workflow: run.workflow, latest: run, count: 1 });
  }
  return [...found.values()];
}

const LOOKED_AT = 50;

/** What fails, what runs out, and what is not finished; each row has its one action. */
export function Attention({ workflows }: { workflows: readonly Workflow[] }) {
  const { t } = useTranslation("workflows");
  const format = useFormatter();
  const canBuild = useCan("builder");
  const failed = useRuns({ status: ["dead_lettered"], mode: "live" }, LOOKED_AT);
  // A role that may not see connections does not ask for them.
  const connections = useConnections(undefined, canBuild);
  const letters = useDeadLetters(10_000);
  const more = failed.data?.pages[0]?.next_cursor ?? null;
  const failing = byWorkflow(failed.data?.pages[0]?.items ?? []);
  const broken = (connections.data ?? []).filter((connection) => connection.status === "broken");
  const drafts = canBuild
    ? workflows.filter((workflow) => workflow.problems_count > 0 || (workflow.live && workflow.draft.changed))
    : [];
  const held = workflows.filter((workflow) => workflow.hold !== null);
  const today = dayOf(Date.now(), format.timeZone);
  const ending = (connections.data ?? [])
    .filter((connection) => connection.status !== "broken" && expiryOf(connection.expires_on, today) !== null)
    .sort((a, b) => (a.expires_on ?? "").localeCompare(b.expires_on ?? ""));
  const undecided = letters.data?.count ?? 0;
  const nothing = undecided + held.length + failing.length + broken.length + ending.length + drafts.length === 0;
  const asked = [failed, letters, ...(canBuild ? [connections] : [])];
  const known = asked.every((one) => one.isSuccess);
  return (
    <Section title={t("home.attention")}>
      <div className={css.rows}>
        <Unread of={asked} />
        {failed.isPending && <SkeletonRows rows={3} height={34} label={t("loading")} />}
        {undecided > 0 && (
          <Link to="/dead-letters" className={css.row}>
            <StatusIcon kind="failed" size={18} />
            <span className={css.rowText}>
              <b>{t("home.letters", { count: undecided, number: format.number(undecided) })}</b>
              <small>{t("home.lettersText")}</small>
            </span>
            <Action>{t("home.decide")}</Action>
          </Link>
        )}
        {held.map((workflow) => (
          <Link key={workflow.id} to="/workflows/$id/runs" params={{ id: workflow.id }} className={css.row}>
            <StatusIcon kind="parked" size={18} />
            <span className={css.rowText}>
              <b>{workflow.name}</b>
              <small>
                {[
                  workflow.hold?.cause === "failures" && t("home.heldFailures"),
                  t("home.held", { count: workflow.hold?.waiting ?? 0, number: format.number(workflow.hold?.waiting ?? 0) }),
                ]
                  .filter(Boolean)
                  .join(" · ")}
              </small>
            </span>
            <Action>{canBuild ? t("home.resume") : t("home.look")}</Action>
          </Link>
        ))}
        {failing.slice(0, 5).map(({ workflow, latest, count }) => {
          const words = (
            <>
              <StatusIcon kind="failed" size={18} />
              <span className={css.rowText}>
                <b>{workflow.name}</b>
                <small>
                  {t(more ? "home.failedAtLeast" : "home.failedRuns", { count })} · {runTitle(latest)}
                  {latest.error ? `: ${failureTitle(latest.error)}` : ""} · <Time at={latest.finished_at ?? latest.accepted_at} />
                </small>
              </span>
              <Action>{count === 1 ? t("home.seeRun") : t("home.seeRuns")}</Action>
            </>
          );
          return count === 1 ? (
            <Link key={workflow.id} to="/runs/$runId" params={{ runId: latest.id }} className={css.row}>
              {words}
            </Link>
          ) : (
            <Link key={workflow.id} to="/workflows/$id/runs" params={{ id: workflow.id }} search={{ status: ["dead_lettered"] }} className={css.row}>
              {words}
            </Link>
          );
        })}
        {broken.slice(0, 3).map((connection) => (
          <Link key={connection.id} to="/connections" search={{ connection: connection.id }} className={css.row}>
            <Unplug size={18} color="var(--err)" aria-hidden />
            <span className={css.rowText}>
              <b>{connection.name}</b>
              <small>{[t("home.broken"), connection.status_detail].filter(Boolean).join(" · ")}</small>
            </span>
            <Action>{t("home.repair")}</Action>
          </Link>
        ))}
        {ending.slice(0, 3).map((connection) => (
          <Ending key={connection.id} connection={connection} today={today} />
        ))}
        {drafts.slice(0, 5).map((workflow) => (
          <Link key={workflow.id} to="/workflows/$id/build" params={{ id: workflow.id }} className={css.row}>
            {workflow.problems_count > 0 ? (
              <TriangleAlert size={18} color="var(--wait)" aria-hidden />
            ) : (
              <FilePen size={18} color="var(--wait)" aria-hidden />
            )}
            <span className={css.rowText}>
              <b>{workflow.name}</b>
              <small>
                {workflow.problems_count > 0
                  ? t("home.problems", { count: workflow.problems_count })
                  : t("home.unpublished")}
              </small>
            </span>
            <Action>{workflow.problems_count > 0 ? t("home.fix") : t("home.look")}</Action>
          </Link>
        ))}
        {known && nothing && <Nothing says={t("home.attentionNone")} at={failed.dataUpdatedAt} />}
      </div>
    </Section>
  );
}

/** A connection that has expired, or does soon. */
function Ending({ connection, today }: { connection: Connection; today: string }) {
  const { t } = useTranslation("workflows");
  const expiry = expiryOf(connection.expires_on, today);
  return (
    <Link to="/connections" search={{ connection: connection.id }} className={css.row}>
      <CalendarClock size={18} color={expiry?.kind === "expired" ? "var(--err)" : "var(--wait)"} aria-hidden />
      <span className={css.rowText}>
        <b>{connection.name}</b>
        <small>{expiry && t(`home.${expiry.kind}`, { count: expiry.days })}</small>
      </span>
      <Action>{t("home.renew")}</Action>
    </Link>
  );
}
