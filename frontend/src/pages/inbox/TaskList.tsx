import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { AlarmClock, Clock, User, UserCheck, UserRoundCheck, Users, CloudOff, FlaskConical, LifeBuoy, ListChecks, MessageSquareWarning, TriangleAlert, UserX, X } from "lucide-react";
import { lazy, type ReactNode, type Ref, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import type { SentLetters } from "../../api/sendings";
import type { Page, Task } from "../../api/types";
import { useQueue } from "../../api/decisionQueue";
import type { Old } from "../../api/keptQuestions";
import { type DueFilter, DUES, type InboxSearch, type Kind, KINDS, narrowed } from "./search";
import { Button, Chip, cx, ErrorCard, segmentClass, segmentsClass, SelectField, SkeletonRows, Time, useFormatter, useNow } from "../../ui";
import { runTitle } from "../runs/words";
import { useAbsences } from "../../api/absences";
import { useUser } from "../../api/session";
import { taskTitle } from "../../i18n/server";
import { byOf, takenBy, useAwayWords } from "./away";
import { namesOf } from "./names";
import { whoseWords } from "./whose";
import { useDeciding, useSaid } from "./decisions";
import css from "./inbox.module.css";
import pickedCss from "./picked.module.css";
import rowCss from "./rows.module.css";
import { KindTile } from "./KindTile";
import { type Sort, SORTS, sortOf } from "./sort";
import { SentRows } from "./SentRows";
import { amountText, approvals, canBulk, dueOf, isAsking, isLeft, warningsOf } from "./task";

// Whoever decides one by one does not need it.
const Bulk = lazy(() => import("./Bulk"));

/** When it has to be answered, with an icon, a word and a colour. */
export function DueChip({ at }: { at: string }) {
  const { t } = useTranslation("inbox");
  const format = useFormatter();
  const due = dueOf(at, useNow(15_000));
  const Icon = due.late ? TriangleAlert : Clock;
  return (
    <Chip tone={due.late ? "err" : due.soon ? "wait" : "idle"} icon={<Icon size={12} aria-hidden />} title={format.exact(at)}>
      {t(due.late ? "due.late" : "due.in", { time: format.duration(due.ms) })}
    </Chip>
  );
}

export function TestChip() {
  const { t } = useTranslation("inbox");
  return <Chip icon={<FlaskConical size={12} aria-hidden />}>{t("test")}</Chip>;
}

/** That it was reminded of, that it is overdue and others are asked too. `taken`: also who has taken it. */
export function StateChips({ task, taken = true }: { task: Task; taken?: boolean }) {
  const { t } = useTranslation(["inbox", "away"]);
  const words = useAwayWords();
  const deciding = useDeciding()(task);
  const isQueued = useQueue((store) => task.id in store.queued);
  if (!isAsking(task)) return null;
  return (
    <>
      {isQueued && (
        <Chip tone="wait" icon={<CloudOff size={12} aria-hidden />}>
          {t("offline.chip")}
        </Chip>
      )}
      {deciding && <Chip tone="wait">{deciding}</Chip>}
      {task.in_place_of && (
        <Chip tone="accent" icon={<UserRoundCheck size={12} aria-hidden />} title={words.until(task.in_place_of.until)}>
          {t("away:chip", { name: task.in_place_of.name })}
        </Chip>
      )}
      {task.stranded_at && (
        <Chip tone="err" icon={<UserX size={12} aria-hidden />}>
          {t("stranded.chip")}
        </Chip>
      )}
      {isLeft(task) && (
        <Chip tone="wait" icon={<LifeBuoy size={12} aria-hidden />}>
          {t("leftForAdmins")}
        </Chip>
      )}
      {task.escalated_at && <Chip tone="err">{t("escalated")}</Chip>}
      {task.reminded_at && !task.escalated_at && <Chip tone="wait">{t("reminded")}</Chip>}
      {task.snoozed_until && (
        <Chip icon={<AlarmClock size={12} aria-hidden />}>
          {t("later.until")} <Time at={task.snoozed_until} />
        </Chip>
      )}
      {taken && task.taken_by && <Chip>{task.taken_by_me ? t("takenByMe") : t("takenBy", { name: takenBy(task, t) })}</Chip>}
    </>
  );
}

/** That the workflow warns of something. */
function WarningsChip({ task }: { task: Task }) {
  const { t } = useTranslation("inbox");
  const warnings = warningsOf(task);
  if (warnings.length === 0) return null;
  return (
    <Chip tone="wait" icon={<MessageSquareWarning size={12} aria-hidden />} title={warnings.join("\n")}>
      {t("warnings.chip", { count: warnings.length })}
    </Chip>
  );
}

/** How far an approval is that several have to give. */
export function VotesChip({ task }: { task: Task }) {
  const { t } = useTranslation("inbox");
  if (task.kind !== "approval" || task.needs < 2 || task.status !== "open") return null;
  return <Chip>{t("approvedSoFar", { count: approvals(task), needs: task.needs })}</Chip>;
}

/** What became of a question that is closed; what I said of one that is open. */
function EndChip({ task }: { task: Task }) {
  const { t } = useTranslation(["inbox", "away"]);
  const said = useSaid();
  const mine = task.votes.find((vote) => vote.me);
  if (task.over === "late") return <Chip tone="idle">{t("status.late")}</Chip>;
  if (task.status === "open") return mine ? <Chip>{t("mine", { said: said(mine.outcome, task.named) })}</Chip> : null;
  if (task.status !== "decided" && !task.outcome) return <Chip tone="idle">{t(`status.${task.status}`)}</Chip>;
  const tone = task.outcome === "rejected" || task.outcome === "give_up" ? "err" : "ok";
  const by = byOf(task.votes.at(-1), t);
  return <Chip tone={tone}>{[said(task.outcome, task.named), by].filter(Boolean).join(" · ")}</Chip>;
}

/** Who is to answer it, or who sees to it. */
function Whose({ task }: { task: Task }) {
  const { t } = useTranslation(["inbox", "away"]);
  const me = useUser().email;
  const { pool, text } = whoseWords(task, me, t);
  const Icon = task.taken_by ? UserCheck : pool ? Users : User;
  return (
    <span className={rowCss.whose} title={task.asked.length > 1 ? namesOf(task.asked) : text}>
      <Icon size={13} aria-hidden />
      <span>
        {!task.taken_by && <span className="srOnly">{t("whose.asked")} </span>}
        {text}
      </span>
    </span>
  );
}

interface RowProps {
  task: Task;
  search: InboxSearch;
  /** Whether it is chosen, while several are; undefined where it cannot be. */
  picked?: boolean | undefined;
  picking: boolean;
  onPick: (on: boolean) => void;
}

function Row({ task, search, picked, picking, onPick }: RowProps) {
  const { t } = useTranslation("inbox");
  const format = useFormatter();
  const amount = amountText(task.amount, task.currency, format);
  return (
    <li className={picking ? pickedCss.picked : undefined}>
      {picking && (
        <label>
          <input
            type="checkbox"
            aria-label={t("pick", { title: taskTitle(task) })}
            checked={picked ?? false}
            disabled={picked === undefined}
            onChange={(event) => onPick(event.currentTarget.checked)}
          />
        </label>
      )}
      <Link
        to="/inbox"
        search={{ ...search, task: task.id }}
        className={css.row}
        data-task={task.id}
        data-testid={`task-${task.id}`}
      >
        {task.unread && (
          <span className={rowCss.unread}>
            <span className="srOnly">{t("unread")}</span>
          </span>
        )}
        <KindTile kind={task.kind} />
        <span className={css.rowBody}>
          <span className={css.rowHead}>
            <b>{taskTitle(task)}</b>
            {amount && <span className={cx("tn", css.rowAmount)}>{amount}</span>}
          </span>
          <span className={css.rowWhere}>
            {/* Failures of one step are called alike. */}
            <span>{task.kind === "exception" ? `${task.run.workflow.name} · ${runTitle(task.run)}` : task.run.workflow.name}</span>
            <Time at={task.closed_at ?? task.created_at} />
          </span>
          {isAsking(task) && <Whose task={task} />}
          <span className={css.chips}>
            {isAsking(task) && task.due_at && <DueChip at={task.due_at} />}
            <WarningsChip task={task} />
            <StateChips task={task} taken={false} />
            <VotesChip task={task} />
            <EndChip task={task} />
            {task.run.mode === "test" && <TestChip />}
          </span>
        </span>
      </Link>
    </li>
  );
}

interface SegmentsProps<T extends string> {
  label: string;
  value: T;
  choices: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}

function Segments<T extends string>({ label, value, choices, onChange }: SegmentsProps<T>) {
  return (
    <div className={segmentsClass} role="radiogroup" aria-label={label}>
      {choices.map(([one, words]) => (
        <button
          key={one}
          type="button"
          role="radio"
          aria-checked={value === one}
          className={segmentClass}
          onClick={() => onChange(one)}
        >
          {words}
        </button>
      ))}
    </div>
  );
}

interface TaskListProps {
  ref: Ref<HTMLDivElement>;
  tasks: readonly Task[];
  /** Failed runs that were sent here. */
  letters: readonly SentLetters[];
  query: Pick<
    UseInfiniteQueryResult<InfiniteData<Old<Page<Task>>>>,
    "data" | "isPending" | "isError" | "error" | "refetch" | "hasNextPage" | "fetchNextPage" | "isFetchingNextPage"
  >;
  search: InboxSearch;
  sort: Sort;
  onSort: (sort: Sort) => void;
  empty: ReactNode;
  onSearch: (search: InboxSearch) => void;
}

/** The questions, with what there is to choose among them. */
export function TaskList({ ref, tasks, letters, query, search, sort, onSort, empty, onSearch }: TaskListProps) {
  const { t } = useTranslation(["inbox", "away"]);
  const { run, who, state } = search;
  const { kind, due } = search;
  const standsFor = (useAbsences().data ?? []).filter((one) => one.holds && one.hand?.me).map((one) => one.who.name);
  const filter = (changes: { who?: "me" | "groups" | "stand_in" | "anybody"; state?: "open" | "later" | "closed"; run?: undefined; kind?: Kind | undefined; due?: DueFilter | undefined }) => {
    const whose = changes.who ?? who ?? "me";
    const which = changes.state ?? state ?? "open";
    onSearch({
      ...(whose === "me" ? {} : { who: whose }),
      ...(which === "open" ? {} : { state: which }),
      ...(run && !("run" in changes) ? { run } : {}),
      ...narrowed({ kind, due, ...changes }),
    });
  };
  const [ids, setIds] = useState<readonly string[] | null>(null);
  const several = state !== "closed" && canBulk(tasks);
  const picking = ids !== null && several;
  const chosen = tasks.filter((task) => ids?.includes(task.id) && task.may_decide);
  const form = chosen[0]?.form;
  return (
    <section className={css.list} aria-label={t("list")} ref={ref} tabIndex={-1}>
      <div className={css.filters}>
        <Segments
          label={t("filter.who")}
          value={who === "named" ? "me" : (who ?? "me")}
          choices={[
            ["me", t("filter.me")],
            ["groups", t("filter.groups")],
            ...(standsFor.length > 0 || who === "stand_in"
              ? ([["stand_in", standsFor.length === 1 ? t("away:filter", { name: standsFor[0] }) : t("away:filterMany")]] as const)
              : []),
            ["anybody", t("filter.anybody")],
          ]}
          onChange={(value) => filter({ who: value })}
        />
        <Segments
          label={t("filter.state")}
          value={state ?? "open"}
          choices={[
            ["open", t("filter.open")],
            ["later", t("filter.later")],
            ["closed", t("filter.closed")],
          ]}
          onChange={(value) => filter({ state: value })}
        />
        <div className={css.narrow}>
          <SelectField
            label={t("filter.kind")}
            value={kind ?? ""}
            options={[{ value: "", label: t("filter.anyKind") }, ...KINDS.map((one) => ({ value: one, label: t(`kind.${one}`) }))]}
            onChange={(value) => filter({ kind: KINDS.find((one) => one === value) })}
          />
          <SelectField
            label={t("filter.due")}
            value={due ?? ""}
            options={[{ value: "", label: t("filter.anyDue") }, ...DUES.map((one) => ({ value: one, label: t(`filter.dues.${one}`) }))]}
            onChange={(value) => filter({ due: DUES.find((one) => one === value) })}
          />
          {state !== "closed" && (
            <SelectField
              label={t("filter.sort")}
              value={sort}
              options={SORTS.map((one) => ({ value: one, label: t(`filter.sorts.${one}`) }))}
              onChange={(value) => onSort(sortOf(value))}
            />
          )}
          {(kind ?? due) && (
            <Button size="sm" icon={<X size={14} aria-hidden />} onClick={() => filter({ kind: undefined, due: undefined })}>
              {t("filter.clear")}
            </Button>
          )}
        </div>
        {several && (
          <Button size="sm" icon={<ListChecks size={14} aria-hidden />} aria-pressed={picking} onClick={() => setIds(picking ? null : [])}>
            {t(picking ? "pickStop" : "pickSeveral")}
          </Button>
        )}
        {run && (
          <Button size="sm" icon={<X size={14} aria-hidden />} onClick={() => filter({ run: undefined })}>
            {t("filter.oneRun")}
          </Button>
        )}
      </div>
      {query.data?.pages[0]?.kept_at !== undefined && (
        <p className={css.old} role="status">
          <CloudOff size={15} aria-hidden />
          <span>
            {t("offline.asOf")} <Time at={new Date(query.data.pages[0].kept_at).toISOString()} />
          </span>
        </p>
      )}
      {query.isPending && <SkeletonRows rows={5} height={56} label={t("loading")} />}
      {query.isError && (
        <div className={css.padded}>
          <ErrorCard title={t("loadFailed")} error={query.error} onRetry={() => void query.refetch()} />
        </div>
      )}
      {letters.length > 0 && <SentRows sendings={letters} />}
      {query.data !== undefined && tasks.length === 0 && letters.length === 0 && empty}
      {tasks.length > 0 && (
        <ul className={css.rows} aria-label={t("list")}>
          {tasks.map((task) => (
            <Row
              key={task.id}
              task={task}
              search={search}
              picking={picking}
              picked={task.may_decide && task.form !== null && (!form || form === task.form) ? chosen.includes(task) : undefined}
              onPick={(on) => setIds((before) => (on ? [...(before ?? []), task.id] : (before ?? []).filter((id) => id !== task.id)))}
            />
          ))}
        </ul>
      )}
      {picking && (
        <Suspense fallback={null}>
          <Bulk chosen={chosen} onDone={() => setIds(null)} />
        </Suspense>
      )}
      {query.hasNextPage && (
        <div className={css.padded}>
          <Button size="sm" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t("more")}
          </Button>
        </div>
      )}
    </section>
  );
}
