import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import { useInboxCount, workspacePath } from "../../api/queries";
import { type SentLetters, useSentLetters } from "../../api/sendings";
import { useWorkspace } from "../../api/session";
import type { Page, Task } from "../../api/types";
import { taskTitle } from "../../i18n/server";
import { Chip, SkeletonRows, StatusIcon, Time, useFormatter, useNow } from "../../ui";
import { failedOf } from "../dead-letters/sent";
import css from "./home.module.css";
import { Action, Nothing, Section, Unread } from "./parts";

const SHOWN = 5;
const EVERY = 30_000;
const MINE = { who: "me", state: "open" } as const;

/** The first of what I am asked. Not by `useInbox`, which keeps its first page for when there is no line. */
function useFirst() {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "inbox", "home"],
    queryFn: ({ signal }) => api.get<Page<Task>>(`${workspacePath(workspace)}/inbox`, { query: { who: "me", state: "open", limit: SHOWN }, signal }),
    refetchInterval: EVERY,
    staleTime: 0,
  });
}

/** What I am asked, the most urgent first: the work of whoever decides. */
export function NeedsYou() {
  const { t } = useTranslation("workflows");
  const format = useFormatter();
  const first = useFirst();
  const count = useInboxCount(EVERY);
  const tasks = first.data?.items ?? [];
  const sent = useSentLetters(MINE, EVERY).data ?? [];
  const shown = sent.slice(0, SHOWN);
  return (
    <Section
      title={t("home.needsYou")}
      more={
        tasks.length + shown.length > 0 && (
          <Link to="/inbox">{count.data !== undefined && count.data.count > tasks.length + shown.length ? t("home.seeAllOf", { number: format.number(count.data.count) }) : t("home.seeAll")}</Link>
        )
      }
    >
      <div className={css.rows}>
        <Unread of={[first, count]} />
        {first.isPending && <SkeletonRows rows={2} height={34} label={t("loading")} />}
        {shown.map((one) => (
          <Sent key={one.id} sending={one} />
        ))}
        {tasks.map((task) => (
          <Question key={task.id} task={task} />
        ))}
        {first.isSuccess && tasks.length === 0 && shown.length === 0 && <Nothing says={t("home.nobodyAsks")} at={first.dataUpdatedAt} />}
      </div>
    </Section>
  );
}

/** Failed runs that somebody sent here. */
function Sent({ sending }: { sending: SentLetters }) {
  const { t } = useTranslation(["sent", "workflows"]);
  const format = useFormatter();
  const many = { count: sending.total, number: format.number(sending.total) };
  const about = failedOf(sending);
  return (
    <Link to="/dead-letters" search={{ sent: sending.id }} className={css.row}>
      <StatusIcon kind="failed" size={18} />
      <span className={css.rowText}>
        <b>{about ? t("what", { ...many, about }) : t("whatever", many)}</b>
        <small>{t("row.from", { name: sending.by ?? t("nobody") })}</small>
      </span>
      <Action>{t("row.look")}</Action>
    </Link>
  );
}

function Question({ task }: { task: Task }) {
  const { t } = useTranslation("workflows");
  const now = useNow(15_000);
  const late = task.due_at !== null && Date.parse(task.due_at) < now;
  return (
    <Link to="/inbox" search={{ task: task.id }} className={css.row}>
      <StatusIcon kind="waiting" size={18} />
      <span className={css.rowText}>
        <b>{taskTitle(task)}</b>
        <small>
          {task.run.workflow.name}
          {task.due_at && (
            <>
              {" · "}
              {t("home.due")} <Time at={task.due_at} />
            </>
          )}
        </small>
      </span>
      {late && <Chip tone="err">{t("home.late")}</Chip>}
      <Action>{t("home.answer")}</Action>
    </Link>
  );
}
