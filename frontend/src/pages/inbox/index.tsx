import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";

import { useDoneThisWeek, useInbox, useInboxCount } from "../../api/queries";
import { useSentLetters } from "../../api/sendings";
import { i18n } from "../../i18n";
import { useQueue } from "../../api/decisionQueue";
import { useKeptAhead, useKeptPage } from "./useOffline";
import { cx, EmptyState, TopBar, useFormatter } from "../../ui";
import { useShortcut } from "../../ui/shortcuts";
import { useStillHere } from "../../ui/typed";
import { useWidth } from "../../ui/useWidth";
import { useDecide, useTakeBackLast } from "./decisions";
import css from "./inbox.module.css";
import { AwayBar } from "./AwayBar";
import { NotTaken } from "./NotTaken";
import { useMarkUnread } from "./seen";
import { useSort } from "./sort";
import { listed, nextOf } from "./task";
import { TaskList } from "./TaskList";
import { TaskPane } from "./TaskPane";

// Only where there is room for it.
const Context = lazy(() => import("./Context"));

/** While the page is seen, the list is asked for again so often. */
const EVERY = 10_000;

/** From this width on there is room for what stands beside the question. */
const WIDE = 1280;

/** So far the list is read on for a question that an address names: some hundreds of them. */
const MOST_PAGES = 6;

/** What of the page is loaded only when it is needed: without a network that would be too late. */
const parts = () =>
  Promise.all([i18n.loadNamespaces(["people", "preview", "away"]), import("./Bulk"), import("./Handing"), import("./Meanwhile"), import("./Alike"), import("../../inspector/InputForm"), import("./ValueEditor"), import("../run/WhatWasSent"), import("../../preview/Look"), import("../../preview/PreviewDialog")]);

/** `/inbox`: what people are asked, and one of the questions. */
export default function InboxPage() {
  const { t } = useTranslation(["inbox", "sent", "common", "away"]);
  const search = useSearch({ from: "/shell/inbox" });
  const navigate = useNavigate({ from: "/inbox" });
  const width = useWidth();
  const phone = width < 900;
  const who = search.state === "later" ? "snoozed" : (search.who ?? "me");
  const state = search.state === "closed" ? "closed" : "open";
  const [sort, setSort] = useSort();
  const order = state === "closed" || sort === "due" ? undefined : sort;
  const query = useInbox({ who, state, run: search.run, kind: search.kind, due: search.due, ...(order ? { sort: order } : {}) }, EVERY);
  // What is sorted by kind and due date are questions; what a run asks are, too.
  const narrow = Boolean(search.kind ?? search.due);
  const hasLetters = who !== "snoozed" && !narrow && !search.run;
  const letters = useSentLetters(hasLetters ? { who, state } : null, EVERY).data ?? [];
  const queued = useQueue((store) => store.queued);
  const list = useRef<HTMLDivElement>(null);
  const tasks = useMemo(() => listed(query.data?.pages ?? []), [query.data]);
  const shown = search.task;
  const place = tasks.findIndex((task) => task.id === shown) + 1;
  const { kind, title } = tasks[place - 1] ?? {};
  const unread = useInboxCount(EVERY).data?.unread ?? 0;

  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ""}${[title, t("title"), "Millrace"].filter(Boolean).join(" · ")}`;
  }, [t, title, unread]);

  const open = useCallback(
    (id: string | undefined, replace = true) =>
      void navigate({ to: "/inbox", search: ({ task: _task, ...rest }) => (id ? { ...rest, task: id } : rest), replace }),
    [navigate],
  );
  const first = tasks[0]?.id;
  const isHere = useStillHere();
  useEffect(() => {
    // There is room for one: the first.
    if (!phone && !shown && first && isHere()) open(first);
  }, [phone, shown, first, open, isHere]);

  const focusRow = useCallback((id: string | undefined) => {
    setTimeout(() => list.current?.querySelector<HTMLElement>(`[data-task="${id}"]`)?.focus(), 0);
  }, []);
  const move = (by: number) => {
    const at = tasks.findIndex((task) => task.id === shown);
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset["task"] : undefined;
    const from = phone && !shown ? tasks.findIndex((task) => task.id === focused) : at;
    const next = tasks[from < 0 ? 0 : from + by];
    if (!next) return;
    if (!phone || shown) open(next.id);
    if (!phone || !shown) focusRow(next.id);
  };
  useKeptAhead(tasks, who === "me" && state === "open" && !search.run && !search.kind && !search.due && !order && query.data?.pages[0]?.kept_at === undefined);
  useKeptPage(parts);
  useShortcut("j", () => move(1));
  useShortcut("k", () => move(-1));

  const back = useCallback((id: string) => open(id), [open]);
  const show = useCallback((id: string) => void navigate({ to: "/inbox", search: { task: id } }), [navigate]);
  const decide = useDecide(back, show);
  const takeBackLast = useTakeBackLast(back);
  const markUnread = useMarkUnread();
  useShortcut("u", () => {
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset["task"] : undefined;
    if (!takeBackLast()) markUnread(tasks.find((task) => task.id === (shown ?? focused)));
  });

  const here = useRef<string | undefined>(undefined);
  useEffect(() => {
    here.current = shown;
    return () => {
      here.current = undefined;
    };
  }, [shown]);
  const left = useRef<string | undefined>(undefined);
  useEffect(() => {
    // Back in the list of a phone: at the question that was left.
    if (phone && !shown && left.current) focusRow(left.current);
    left.current = shown;
  }, [phone, shown, focusRow]);

  const { hasNextPage, isFetchingNextPage, fetchNextPage, data } = query;
  const isListed = place > 0;
  // Once for each question: whoever scrolls on afterwards is not pulled back.
  const reached = useRef<string | undefined>(undefined);
  useEffect(() => {
    // Opened by its address, it may stand far down: the list is read on until it is there, and goes to it.
    if (!shown || !data || reached.current === shown) return;
    if (isListed) {
      reached.current = shown;
      list.current?.querySelector(`[data-task="${shown}"]`)?.scrollIntoView({ block: "nearest" });
    } else if (hasNextPage && !isFetchingNextPage && data.pages.length < MOST_PAGES) void fetchNextPage();
  }, [shown, data, isListed, hasNextPage, isFetchingNextPage, fetchNextPage]);

  const format = useFormatter();
  const nothing = query.data !== undefined && tasks.length === 0 && letters.length === 0;
  const pane = shown !== undefined && (
    <TaskPane
      key={shown}
      id={shown}
      onDecided={async (task, answer) => {
        const next = nextOf(tasks.filter((one) => one.id === task.id || !(one.id in queued)), task.id);
        const { taken, read } = await decide(task, answer);
        // Whoever has gone on to something else meanwhile stays there.
        if (!taken || here.current !== task.id) return;
        open(next);
        if (!next) setTimeout(() => list.current?.focus(), 0);
        // Until the next one is there, its buttons are those of the one that is decided: they stay as they are.
        await read;
      }}
      onTakenBack={back}
    />
  );
  const mine = !narrow && state !== "closed" && who === "me";
  const done = useDoneThisWeek(mine && nothing).data?.count ?? 0;
  const empty = (
    <EmptyState
      title={narrow ? t("empty.narrow") : state === "closed" ? t("empty.closed") : who === "snoozed" ? t("empty.later") : who === "me" ? t("empty.mine") : who === "stand_in" ? t("away:none") : t("empty.anybody")}
      text={narrow ? t("empty.narrowText") : mine && done > 0 ? t("empty.done", { count: done, number: format.number(done) }) : t("empty.text")}
    />
  );

  const alone = phone && shown !== undefined;
  const beside = width >= WIDE && shown !== undefined;
  // One tree for both: whoever turns a tablet keeps the answer that is half written.
  return (
    <>
      {alone ? (
        <TopBar
          crumbs={
            <Link to="/inbox" search={({ task: _task, ...rest }) => rest} className={css.back}>
              <ArrowLeft size={18} aria-hidden />
              {t("title")}
            </Link>
          }
          title={kind ? t(`kind.${kind}`) : t("one")}
          chips={
            place > 0 && tasks.length > 1 && (
              <span className={cx("tn", css.position)}>{t("position", { number: place, count: tasks.length })}</span>
            )
          }
        />
      ) : (
        <TopBar title={t("title")} />
      )}
      <NotTaken onOpen={show} />
      <AwayBar />
      <div className={cx(css.layout, phone && css.one, beside && css.three)}>
        {!alone && (
          <TaskList
            ref={list}
            tasks={tasks}
            letters={hasLetters ? letters : []}
            query={query}
            search={search}
            sort={sort}
            onSort={setSort}
            empty={phone ? empty : <p className={css.none}>{narrow ? t("empty.narrow") : state === "closed" ? t("empty.closed") : t("empty.list")}</p>}
            onSearch={(next) => void navigate({ search: next, replace: true })}
          />
        )}
        {(alone || !phone) && <div className={css.side}>{pane || (nothing ? empty : tasks.length === 0 && letters.length > 0 && <EmptyState title={t("sent:row.only")} text={t("sent:row.onlyText")} />)}</div>}
        {beside && (
          <Suspense fallback={<div />}>
            <Context key={shown} id={shown} />
          </Suspense>
        )}
      </div>
    </>
  );
}
