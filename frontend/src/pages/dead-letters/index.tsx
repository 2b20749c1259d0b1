import { Menu } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Download } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import type { GroupNote } from "../../api/letterGroups";
import { useDeadLetters, useWorkflows } from "../../api/queries";
import type { SentLetters } from "../../api/sendings";
import type { DeadLetterGroup } from "../../api/types";
import { retell } from "../../i18n/server";
import { Button, Card, cx, EmptyState, ErrorCard, leadClass, PageBody, SkeletonRows, TopBar, useFormatter } from "../../ui";
import fields from "../../ui/fields.module.css";
import { BulkRetries } from "./BulkRetries";
import css from "./deadLetters.module.css";
import { EditDialog } from "./EditDialog";
import { ExportItems } from "./ExportItems";
import { GroupCard } from "./GroupCard";
import { NoteDialog } from "./NoteDialog";
import { RetryDialog } from "./RetryDialog";
import { SendDialog } from "./SendDialog";
import { SentBanner } from "./SentBanner";
import { SolveDialog } from "./SolveDialog";
import type { Target } from "./target";
import { Trial } from "./Trial";
import { useNoting } from "./useSaying";

const HistoryDialog = lazy(() => import("../history/HistoryDialog"));

/** While the page is seen, the list is asked for again so often. */
export const EVERY = 10_000;

/** `number` tells one trial of a group from the one before. */
interface Tried {
  number: number;
  target: Target;
  ended: boolean;
}

type Asked =
  | { what: "retry" | "edit" | "send" | "solve" | "discard" | "history"; target: Target }
  /** What came to somebody goes on to another. */
  | { what: "on"; sending: SentLetters }
  /** `typed`: what was not taken of it, and why. */
  | { what: "note"; target: Target; typed: GroupNote | null; error: unknown };

export default function DeadLettersPage() {
  const { t } = useTranslation(["deadLetters", "sent", "common"]);
  const { workflow, sent } = useSearch({ from: "/shell/dead-letters" });
  const navigate = useNavigate();
  const query = useDeadLetters(EVERY, workflow, sent);
  const format = useFormatter();
  const solved = query.data?.last_solved ?? null;
  const lastSolved = solved && t(solved.by === null ? "empty.solved" : "empty.solvedBy", { day: format.dayMonth(solved.at), by: solved.by });
  const workflows = useWorkflows({}, 100).data?.pages[0]?.items ?? [];
  const [asked, setAsked] = useState<Asked | null>(null);
  const [trials, setTrials] = useState<readonly Tried[]>([]);
  useEffect(() => {
    document.title = `${t("title")} · Millrace`;
  }, [t]);

  const choose = (id: string) =>
    void navigate({ to: "/dead-letters", search: id ? { workflow: id } : {}, replace: true });
  const without = (all: readonly Tried[], cause: string) => all.filter((one) => one.target.group.cause !== cause);
  const forget = (cause: string) => setTrials((before) => without(before, cause));
  const begin = (target: Target) =>
    setTrials((before) => [
      ...without(before, target.group.cause),
      { number: Math.max(0, ...before.map((one) => one.number)) + 1, target, ended: false },
    ]);
  const ended = (number: number) =>
    setTrials((before) => before.map((one) => (one.number === number ? { ...one, ended: true } : one)));
  const close = () => setAsked(null);
  const noting = useNoting(({ group, note }, error) => setAsked({ what: "note", target: { group, letters: null }, typed: note, error }));
  const all = () => void navigate({ to: "/dead-letters", search: {} });

  const groups = query.data?.items ?? [];
  const listed = new Set(groups.map((group) => group.cause));
  // Somebody else may write on it while it is open: what is saved goes by what is seen.
  const noted = asked?.what === "note" ? (groups.find((one) => one.cause === asked.target.group.cause) ?? asked.target.group) : null;
  // A trial with the only run of a group is still told of when the group has gone from the list.
  const gone = trials.map((one) => one.target.group).filter((group) => !listed.has(group.cause));
  const card = (group: DeadLetterGroup, here: boolean) => {
    const trial = trials.find((one) => one.target.group.cause === group.cause);
    return (
      <GroupCard
        key={group.cause}
        group={group}
        sent={sent}
        gone={!here}
        trying={trial !== undefined && !trial.ended}
        onAsk={(what, target) => setAsked(what === "note" ? { what, target, typed: null, error: null } : { what, target })}
        onTry={begin}
      >
        {trial && (
          <Trial
            key={trial.number}
            target={trial.target}
            onEnd={() => ended(trial.number)}
            onClose={() => forget(group.cause)}
            onRest={(target) => {
              forget(group.cause);
              setAsked({ what: "retry", target });
            }}
          />
        )}
      </GroupCard>
    );
  };

  return (
    <>
      <TopBar title={t("title")} />
      <PageBody>
        <div className={css.head}>
          <p className={leadClass} tabIndex={-1} data-home>
            {t("subtitle")}
          </p>
          <div className={css.tools}>
            {groups.length > 0 && !sent && (
              <Menu position="bottom-end" withinPortal radius={10}>
                <Menu.Target>
                  <Button icon={<Download size={15} aria-hidden />}>{t("export.open")}</Button>
                </Menu.Target>
                <Menu.Dropdown>
                  <ExportItems meant={{ workflow }} label={t(workflow ? "export.workflow" : "export.all")} />
                </Menu.Dropdown>
              </Menu>
            )}
            {(groups.length > 0 || workflow) && !sent && (
              <select
                className={cx(fields.input, css.pick)}
                aria-label={t("filter.workflow")}
                value={workflow ?? ""}
                onChange={(event) => choose(event.currentTarget.value)}
              >
                <option value="">{t("filter.all")}</option>
                {workflows.map((one) => (
                  <option key={one.id} value={one.id}>
                    {one.name}
                  </option>
                ))}
              </select>
            )}
          </div>
        </div>
        {sent && <SentBanner key={sent} id={sent} every={EVERY} onPassOn={(sending) => setAsked({ what: "on", sending })} onAll={all} />}
        <BulkRetries every={EVERY} onClosed={close} />
        {query.isError && <ErrorCard title={t("loadFailed")} error={query.error} onRetry={() => void query.refetch()} />}
        {query.isPending && (
          <Card>
            <SkeletonRows rows={5} height={44} label={t("loading")} />
          </Card>
        )}
        {groups.length + gone.length > 0 && (
          <ul className={css.groups} aria-label={t("groups")}>
            {/* One array: a group that leaves the list keeps its place on the screen, and its trial goes on. */}
            {[...gone, ...groups].map((group) => card(group, listed.has(group.cause)))}
          </ul>
        )}
        {query.data && groups.length === 0 && !workflow && !sent && <EmptyState title={t("empty.title")} text={lastSolved ? `${lastSolved} ${t("empty.text")}` : t("empty.text")} />}
        {query.data && groups.length === 0 && sent && (
          <EmptyState plain title={t("sent:empty")} text={t("sent:emptyText")} actions={<Button onClick={all}>{t("sent:all")}</Button>} />
        )}
        {query.data && groups.length === 0 && workflow && !sent && (
          <EmptyState
            plain
            title={t("empty.filtered")}
            text={query.data.count > 0 ? t("empty.others", { count: query.data.count }) : undefined}
            actions={<Button onClick={() => choose("")}>{t("common:action.clearFilters")}</Button>}
          />
        )}
      </PageBody>
      {asked?.what === "send" && <SendDialog target={asked.target} onClose={close} />}
      {asked?.what === "on" && <SendDialog sending={asked.sending} onClose={close} />}
      {asked?.what === "edit" && <EditDialog target={asked.target} onClose={close} />}
      {noted && asked?.what === "note" && (
        <NoteDialog
          key={asked.typed === null ? "new" : "again"}
          group={noted}
          typed={asked.typed}
          error={asked.error}
          onClose={close}
          onSave={(note) => {
            noting.mutate({ group: noted, note });
            close();
          }}
        />
      )}
      {asked?.what === "history" && (
        <Suspense>
          <HistoryDialog what="dead-letters" id={asked.target.group.cause} name={retell("failures", asked.target.group.code, asked.target.group.title)} onClose={close} />
        </Suspense>
      )}
      {asked?.what === "retry" && <RetryDialog target={asked.target} onClose={close} />}
      {(asked?.what === "solve" || asked?.what === "discard") && (
        <SolveDialog how={asked.what} target={asked.target} onClose={close} />
      )}
    </>
  );
}
