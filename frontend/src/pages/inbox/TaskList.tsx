import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Clock, FlaskConical, TriangleAlert, X } from "lucide-react";
import type { ReactNode, Ref } from "react";
import { useTranslation } from "react-i18next";

import type { Task } from "../../api/types";
import type { InboxSearch } from "./search";
import { Button, Chip, cx, ErrorCard, segmentClass, segmentsClass, SkeletonRows, Time, useFormatter, useNow } from "../../ui";
import { runTitle } from "../runs/words";
import { useSaid } from "./decisions";
import css from "./inbox.module.css";
import { KindTile } from "./KindTile";
import { amountText, approvals, dueOf } from "./task";

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

/** How far an approval is that several have to give. */
export function VotesChip({ task }: { task: Task }) {
  const { t } = useTranslation("inbox");
  if (task.kind !== "approval" || task.needs < 2 || task.status !== "open") return null;
  return <Chip>{t("approvedSoFar", { count: approvals(task), needs: task.needs })}</Chip>;
}

/** What became of a question that is closed; what I said of one that is open. */
function EndChip({ task }: { task: Task }) {
  const { t } = useTranslation("inbox");
  const said = useSaid();
  const mine = task.votes.find((vote) => vote.me);
  if (task.status === "open") return mine ? <Chip>{t("mine", { said: said(mine.outcome) })}</Chip> : null;
  if (task.status !== "decided") return <Chip tone="idle">{t(`status.${task.status}`)}</Chip>;
  const tone = task.outcome === "rejected" || task.outcome === "give_up" ? "err" : "ok";
  const by = task.votes.at(-1)?.by;
  return <Chip tone={tone}>{[said(task.outcome), by].filter(Boolean).join(" · ")}</Chip>;
}

function Row({ task, search }: { task: Task; search: InboxSearch }) {
  const format = useFormatter();
  const amount = amountText(task.amount, task.currency, format);
  return (
    <li>
      <Link
        to="/inbox"
        search={{ ...search, task: task.id }}
        className={css.row}
        data-task={task.id}
        data-testid={`task-${task.id}`}
      >
        <KindTile kind={task.kind} />
        <span className={css.rowBody}>
          <span className={css.rowHead}>
            <b>{task.title}</b>
            {amount && <span className={cx("tn", css.rowAmount)}>{amount}</span>}
          </span>
          <span className={css.rowWhere}>
            {/* Failures of one step are called alike. */}
            <span>{task.kind === "exception" ? `${task.run.workflow.name} · ${runTitle(task.run)}` : task.run.workflow.name}</span>
            <Time at={task.closed_at ?? task.created_at} />
          </span>
          <span className={css.chips}>
            {task.status === "open" && task.due_at && <DueChip at={task.due_at} />}
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
  query: Pick<
    UseInfiniteQueryResult,
    "data" | "isPending" | "isError" | "error" | "refetch" | "hasNextPage" | "fetchNextPage" | "isFetchingNextPage"
  >;
  search: InboxSearch;
  empty: ReactNode;
  onSearch: (search: InboxSearch) => void;
}

/** The questions, with what there is to choose among them. */
export function TaskList({ ref, tasks, query, search, empty, onSearch }: TaskListProps) {
  const { t } = useTranslation("inbox");
  const { run, who, state } = search;
  const filter = (changes: { anybody?: boolean; closed?: boolean; run?: undefined }) => {
    const anybody = changes.anybody ?? who === "anybody";
    const closed = changes.closed ?? state === "closed";
    onSearch({
      ...(anybody ? { who: "anybody" as const } : {}),
      ...(closed ? { state: "closed" as const } : {}),
      ...(run && !("run" in changes) ? { run } : {}),
    });
  };
  return (
    <section className={css.list} aria-label={t("list")} ref={ref} tabIndex={-1}>
      <div className={css.filters}>
        <Segments
          label={t("filter.who")}
          value={who ?? "me"}
          choices={[
            ["me", t("filter.me")],
            ["anybody", t("filter.anybody")],
          ]}
          onChange={(value) => filter({ anybody: value === "anybody" })}
        />
        <Segments
          label={t("filter.state")}
          value={state ?? "open"}
          choices={[
            ["open", t("filter.open")],
            ["closed", t("filter.closed")],
          ]}
          onChange={(value) => filter({ closed: value === "closed" })}
        />
        {run && (
          <Button size="sm" icon={<X size={14} aria-hidden />} onClick={() => filter({ run: undefined })}>
            {t("filter.oneRun")}
          </Button>
        )}
      </div>
      {query.isPending && <SkeletonRows rows={5} height={56} label={t("loading")} />}
      {query.isError && (
        <div className={css.padded}>
          <ErrorCard title={t("loadFailed")} error={query.error} onRetry={() => void query.refetch()} />
        </div>
      )}
      {query.data !== undefined && tasks.length === 0 && empty}
      {tasks.length > 0 && (
        <ul className={css.rows} aria-label={t("list")}>
          {tasks.map((task) => (
            <Row key={task.id} task={task} search={search} />
          ))}
        </ul>
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
