import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { type BulkRetry, type BulkRetryDetail, type BulkRetryRun, tellBulkRetry, useBulkRetry } from "../../api/bulkRetries";
import { refreshDeadLetters } from "../../api/queries";
import { useCan, useWorkspace } from "../../api/session";
import { Button, Dialog, ErrorCard, Note, SkeletonRows, StatusIcon, type StatusKind, useFormatter } from "../../ui";
import { runTitle } from "../runs/words";
import css from "./deadLetters.module.css";
import { goesOnOlder, isGoing } from "./going";

/** Saying that the others go too, or that no further ones do. */
export function useWord(id: string) {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  return useMutation({
    mutationFn: (word: "go-on" | "stop") => tellBulkRetry(workspace, id, word),
    onSettled: () => refreshDeadLetters(client, workspace),
  });
}

export function BulkRetryDialog({ bulk, onClose }: { bulk: BulkRetry; onClose: () => void }) {
  const { t } = useTranslation("deadLetters");
  return (
    <Dialog opened onClose={onClose} title={bulk.title && bulk.kind === "retry" ? t("retry.title", { title: bulk.title }) : t("bulk.title", { context: bulk.kind })}>
      <BulkRetryProgress id={bulk.id} onClose={onClose} />
    </Dialog>
  );
}

/** How far it is, what came of them, and what can be said to it. */
export function BulkRetryProgress({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation(["deadLetters", "common"]);
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const may = useCan("reviewer");
  const query = useBulkRetry(id);
  const word = useWord(id);
  const bulk = query.data;
  const over = bulk?.open === false;
  useEffect(() => {
    if (over) void refreshDeadLetters(client, workspace);
  }, [over, client, workspace]);
  if (!bulk) {
    return query.isError ? (
      <ErrorCard title={t("bulk.loadFailed")} error={query.error} onRetry={() => void query.refetch()} />
    ) : (
      <SkeletonRows rows={3} height={22} label={t("bulk.loading")} />
    );
  }
  const going = isGoing(bulk);
  const others = { context: bulk.kind, count: bulk.left, number: format.number(bulk.left) };
  return (
    <div className={css.form}>
      <Bar bulk={bulk} />
      <Counts bulk={bulk} />
      <HeldTo bulk={bulk} going={going} />
      {bulk.workflow_held && going && <Note tone="wait">{t("retry.workflowHeld")}</Note>}
      {word.isError && <ErrorCard title={t("bulk.wordFailed")} error={word.error} />}
      <div role="status">
        {bulk.status === "waiting" && <TrialCame bulk={bulk} />}
        {!bulk.open && <Result bulk={bulk} />}
      </div>
      {bulk.runs.length > 0 && <LeftRuns bulk={bulk} />}
      {bulk.open && <p className={css.quiet}>{t("retry.close", { context: bulk.kind })}</p>}
      <div className={css.formFoot}>
        {going && may && (
          <Button variant="danger" busy={word.isPending && word.variables === "stop"} onClick={() => word.mutate("stop")}>
            {t("retry.stop")}
          </Button>
        )}
        {bulk.status === "waiting" && may && (
          <Button variant="primary" busy={word.isPending && word.variables === "go-on"} onClick={() => word.mutate("go-on")}>
            {t("bulk.goOn", others)}
          </Button>
        )}
        <Button variant={bulk.open ? "default" : "primary"} onClick={onClose}>
          {t("common:action.close")}
        </Button>
      </div>
    </div>
  );
}

/** With which version it goes on, and that another one is live by now. */
function HeldTo({ bulk, going }: { bulk: BulkRetry; going: boolean }) {
  const { t } = useTranslation("deadLetters");
  const older = going ? goesOnOlder(bulk) : [];
  const others = bulk.held_to.filter((one) => !older.includes(one));
  return [...older, ...others].slice(0, SHOWN).map((one) => {
    const { workflow, version, live } = one;
    const newer = older.includes(one);
    const text = t(newer ? "bulk.heldToOlder" : "bulk.heldTo", { name: workflow.name, version, live });
    return newer ? (
      <Note key={workflow.id} tone="wait">
        {text}
      </Note>
    ) : (
      <p key={workflow.id} className={css.quiet}>
        {text}
      </p>
    );
  });
}

function Bar({ bulk }: { bulk: BulkRetry }) {
  const { t } = useTranslation("deadLetters");
  const format = useFormatter();
  const share = (part: number) => `${(100 * part) / Math.max(1, bulk.total)}%`;
  const settled = bulk.total - bulk.left - bulk.under_way;
  const words = t("retry.progress", { done: format.number(settled), count: bulk.total, total: format.number(bulk.total) });
  return (
    <div className={css.progress}>
      <span>{words}</span>
      <div
        className={css.bar}
        role="progressbar"
        aria-label={t("retry.bar", { context: bulk.kind })}
        aria-valuemin={0}
        aria-valuemax={bulk.total}
        aria-valuenow={settled}
        aria-valuetext={words}
      >
        <i data-part="worked" style={{ width: share(bulk.done) }} />
        <i data-part="left" style={{ width: share(bulk.failed + bulk.asks + bulk.refused) }} />
        <i data-part="open" style={{ width: share(bulk.under_way) }} />
      </div>
    </div>
  );
}

const COUNTS: readonly { of: "done" | "failed" | "asks" | "under_way" | "refused" | "left"; kind: StatusKind; always?: boolean }[] = [
  { of: "done", kind: "done", always: true },
  { of: "failed", kind: "failed", always: true },
  { of: "asks", kind: "waiting_person", always: true },
  { of: "under_way", kind: "running" },
  { of: "left", kind: "queued" },
  { of: "refused", kind: "skipped" },
];

function Counts({ bulk }: { bulk: BulkRetry }) {
  const { t } = useTranslation("deadLetters");
  const format = useFormatter();
  return (
    <dl className={css.counts}>
      {COUNTS.filter((one) => one.always || bulk[one.of] > 0).map((one) => (
        <div key={one.of}>
          <dt>
            <StatusIcon kind={one.kind} size={14} decorative />
            {t(`fate.${one.of}`, { context: bulk.kind })}
          </dt>
          <dd>{format.number(bulk[one.of])}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What came of the first one, which decides about the others. */
function TrialCame({ bulk }: { bulk: BulkRetryDetail }) {
  const { t } = useTranslation("deadLetters");
  const message = bulk.runs[0]?.message ?? "";
  const tone = bulk.trial === "done" ? "ok" : bulk.trial === "failed" ? "err" : "wait";
  return <Note tone={tone}>{t(`bulk.trial.${bulk.trial ?? "under_way"}`, { context: bulk.kind, title: message, reason: message })}</Note>;
}

function Result({ bulk }: { bulk: BulkRetry }) {
  const { t } = useTranslation("deadLetters");
  const format = useFormatter();
  const many = (count: number) => ({ context: bulk.kind, count, number: format.number(count) });
  const tried = bulk.total - bulk.left;
  const all = bulk.done === bulk.total;
  return (
    <Note tone={all ? "ok" : "wait"}>
      {all ? t("result.all", many(bulk.done)) : t("result.some", { good: format.number(bulk.done), ...many(tried) })}
      {bulk.status === "stopped" && ` ${t("result.rule", many(bulk.stop_after ?? 0))}`}
      {bulk.status === "cancelled" && ` ${bulk.ended_by ? t("result.stoppedBy", { who: bulk.ended_by }) : t("result.stopped")}`}
      {bulk.left > 0 && ` ${t("result.untouched", many(bulk.left))}`}
    </Note>
  );
}

const SHOWN = 5;

/** Those that did not just work, to look at; and the one that was tried. */
function LeftRuns({ bulk }: { bulk: BulkRetryDetail }) {
  const { t } = useTranslation("deadLetters");
  const format = useFormatter();
  const told = bulk.runs.slice(0, SHOWN);
  const more = bulk.failed + bulk.asks + bulk.refused - told.filter((one) => one.outcome !== "done" && one.outcome !== "begun").length;
  const why = ({ outcome, message }: BulkRetryRun) => {
    if (outcome === "asks") return t("trial.asks");
    if (outcome === "begun") return t("fate.under_way", { context: bulk.kind });
    return message || t(`fate.${outcome}`, { context: bulk.kind });
  };
  return (
    <ul className={css.left} aria-label={t("result.left")}>
      {told.map((one) => (
        <li key={one.run.id}>
          <Link to="/runs/$runId" params={{ runId: one.run.id }}>
            {runTitle(one.run)}
          </Link>
          <span>{why(one)}</span>
        </li>
      ))}
      {more > 0 && <li>{t("result.more", { count: more, number: format.number(more) })}</li>}
    </ul>
  );
}
