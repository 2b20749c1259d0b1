import { Link } from "@tanstack/react-router";
import { ArrowRight, Ban, CircleCheck, CircleX, Clock, Split, Undo2, UserRoundCheck, UserX } from "lucide-react";
import { lazy, type ReactNode, type Ref, Suspense } from "react";
import { useTranslation } from "react-i18next";

import { useCan, useUser } from "../../api/session";
import type { Json, TaskDetail } from "../../api/types";
import { taskTitle } from "../../i18n/server";
import { Avatar, buttonClass, type Formatter, Note, SkeletonRows, Time, useFormatter } from "../../ui";
import { ErrorBox } from "../run/ErrorBox";
import { runTitle } from "../runs/words";
import { byOf, endedBy, takenBy, useAwayWords } from "./away";
import { useDeciding, useSaid } from "./decisions";
import { Facts } from "./Facts";
import css from "./inbox.module.css";
import { KindTile } from "./KindTile";
import { MendItem } from "./MendItem";
import { namesOf } from "./names";
import { amountText, isAsking, warningsOf } from "./task";
import { DueChip, StateChips, TestChip, VotesChip } from "./TaskList";

const Handing = lazy(() => import("./Handing"));
const WhatWasSent = lazy(() => import("../run/WhatWasSent"));
const Alike = lazy(() => import("./Alike"));
const Mending = lazy(() => import("./Mending"));
const UndoAsked = lazy(() => import("./UndoAsked"));
const Meanwhile = lazy(() => import("./Meanwhile"));
const DataView = lazy(async () => ({ default: (await import("../run/DataView")).DataView }));

/** Why this is before me: whom the step asks. */
function Why({ task }: { task: TaskDetail }) {
  const { t } = useTranslation("inbox");
  const me = useUser().email.toLowerCase();
  const asked = task.asked.map((one) => (one.kind === "group" && one.name === one.key ? { ...one, name: t("removedGroup") } : one));
  const others = asked.filter((one) => one.key.toLowerCase() !== me);
  const names = namesOf(others);
  const mine = task.may_decide || task.may_take || task.votes.some((vote) => vote.me);
  const named = others.length < task.asked.length;
  const shared = others.some((one) => one.kind !== "person");
  const who =
    task.kind === "exception"
      ? t(others.length > 0 ? "why.left" : task.in_doubt ? "why.inDoubt" : "why.exception", { step: task.step, names })
      : task.asked.length === 0
        ? t("why.anybody")
        : shared
          ? t("why.groups", { names: namesOf(asked) })
          : !named
            ? t("why.others", { count: others.length, names })
            : others.length === 0
              ? t("why.alone")
              : t("why.several", { count: task.asked.length, names });
  return (
    <div className={css.why}>
      <Split size={17} aria-hidden />
      <p>
        <b>{t(mine ? "why.title" : "why.whoTitle")}</b> {who} {task.everyone ? t("why.everyone") : task.needs > 1 && t("why.needs", { count: task.needs })}
      </p>
    </div>
  );
}

/** In whose place I am asked; and of the others who is away, and who sees it for them. */
function Away({ task }: { task: TaskDetail }) {
  const { t } = useTranslation("away");
  const words = useAwayWords();
  const mine = task.in_place_of;
  // What is kept from before this was known says nothing of it.
  const away = task.asked.flatMap((one) => (one.away && one.name !== mine?.name ? [{ name: one.name, ...one.away }] : []));
  if (!mine && away.length === 0) return null;
  return (
    <div className={css.why}>
      <UserRoundCheck size={17} aria-hidden />
      <p>
        {mine && <b>{t(mine.until ? "for.until" : "for.open", { name: mine.name, day: mine.until ? words.day(mine.until) : "" })}</b>}{" "}
        {away.map(({ name, until, hand }) => t(hand ? "asked.hand" : "asked.nobody", { name, hand, until: words.until(until) })).join(" ")}
      </p>
    </div>
  );
}

/** That those who are asked cannot decide it any more, and what to do. */
function Stranded({ task }: { task: TaskDetail }) {
  const { t } = useTranslation("inbox");
  if (!task.stranded_at) return null;
  const said = task.votes.length;
  return (
    <Note tone="err" icon={<UserX size={16} aria-hidden />}>
      <b>{t("stranded.title")}</b>{" "}
      {task.needs > 1 && !task.everyone ? t("stranded.few", { count: task.needs, said }) : t("stranded.nobody")}{" "}
      {t(task.may_decide || task.may_hand_over ? "stranded.admin" : "stranded.others")}
    </Note>
  );
}

/** What the workflow warns of, before what there is to decide by. */
function Warnings({ task }: { task: TaskDetail }) {
  const { t } = useTranslation("inbox");
  const warnings = warningsOf(task);
  if (warnings.length === 0) return null;
  return (
    <Note tone="wait">
      <b>{t("warnings.title", { count: warnings.length })}</b>
      <ul className={css.warnings}>
        {warnings.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </Note>
  );
}

function Votes({ task }: { task: TaskDetail }) {
  const { t } = useTranslation(["inbox", "away"]);
  const said = useSaid();
  if (task.votes.length === 0) return null;
  return (
    <section className={css.block}>
      <h3>{t("votes")}</h3>
      <ul className={css.votes}>
        {task.votes.map((vote) => (
          <li key={`${vote.by} ${vote.at}`}>
            <Avatar name={vote.by} />
            <div>
              <span>
                <b>{vote.me && !vote.in_place_of ? t("me", { name: vote.by }) : byOf(vote, t)}</b> · {said(vote.outcome, task.named)} · <Time at={vote.at} />
                {vote.admin && ` · ${t("asAdmin")}`}
                {vote.via === "link" && ` · ${t("byLink")}`}
              </span>
              {vote.comment && <p className={css.text}>{vote.comment}</p>}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What became of it, in the place of the buttons. */
function Ended({ task }: { task: TaskDetail }) {
  const { t } = useTranslation(["inbox", "away"]);
  const said = useSaid();
  const deciding = useDeciding()(task);
  const last = task.votes.at(-1);
  const mine = task.votes.find((vote) => vote.me);
  if (task.over) {
    return (
      <Note tone="wait" icon={task.over === "late" ? <Clock size={16} aria-hidden /> : <Ban size={16} aria-hidden />}>
        <b>{t(`over.${task.over}`)}</b>{" "}
        {task.over === "late" && task.ends_at && <Time at={task.ends_at} />}
        {task.anew && (
          <Link to="/inbox" search={{ task: task.anew }} className={buttonClass("link")}>
            {t("over.see")}
            <ArrowRight size={14} aria-hidden />
          </Link>
        )}
      </Note>
    );
  }
  if (task.status === "open") {
    // Who was away has no voice left where another has given it; what they said is told with their name.
    const forMe = mine ? undefined : task.votes.find((vote) => vote.for_me);
    const words = deciding || (mine
      ? t("waits.said", { said: said(mine.outcome, task.named) })
      : forMe
      ? t("waits.saidFor", { by: forMe.by, said: said(forMe.outcome, task.named) })
      : task.taken_by && !task.taken_by_me
        ? t("waits.taken", { name: takenBy(task, t) })
        : t(task.kind === "exception" && task.asked.length === 0 ? "waits.role" : "waits.others"));
    return (
      <Note tone={mine || forMe ? "ok" : "wait"} icon={<Clock size={16} aria-hidden />}>
        {words}
      </Note>
    );
  }
  if (task.outcome === "undo_run") {
    return (
      <Note tone="wait" icon={<Undo2 size={16} aria-hidden />}>
        {endedBy(last, t)} <b>{said(task.outcome)}</b>
        {task.closed_at && (
          <>
            {" · "}
            <Time at={task.closed_at} />
          </>
        )}
      </Note>
    );
  }
  if (task.status !== "decided") {
    return (
      <Note tone="wait" icon={task.status === "late" ? <Clock size={16} aria-hidden /> : <Ban size={16} aria-hidden />}>
        <b>{t(`ended.${task.status}`)}</b> {task.closed_at && <Time at={task.closed_at} />}
      </Note>
    );
  }
  const no = task.outcome === "rejected" || task.outcome === "give_up";
  return (
    <Note tone={no ? "err" : "ok"} icon={no ? <CircleX size={16} aria-hidden /> : <CircleCheck size={16} aria-hidden />}>
      {endedBy(last, t)} <b>{said(task.outcome, task.named)}</b>
      {task.closed_at && (
        <>
          {" · "}
          <Time at={task.closed_at} />
        </>
      )}
    </Note>
  );
}

/** Money as one text, everything else as it is. */
function moneyText(value: Json, format: Formatter): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const { amount, currency } = value as { amount?: Json; currency?: Json };
  return amount !== undefined && typeof currency === "string" ? amountText(amount, currency, format) : value;
}

/** What was answered: of a form, or the value that was given after a failure. */
function Answer({ task }: { task: TaskDetail }) {
  const { t } = useTranslation("inbox");
  const format = useFormatter();
  const { answer } = task;
  const given = task.kind === "form" || task.outcome === "value" || task.outcome === "happened";
  if (task.status !== "decided" || !given || answer === null) return null;
  let shown: unknown = answer;
  if (task.kind === "form" && typeof answer === "object" && !Array.isArray(answer)) {
    const { answered: _by, ...answers } = answer as { [name: string]: Json };
    const labels = new Map(task.fields.map((field) => [String(field["name"]), String(field["label"] || field["name"])]));
    shown = Object.fromEntries(Object.entries(answers).map(([name, value]) => [labels.get(name) ?? name, moneyText(value, format)]));
  }
  return (
    <section className={css.block}>
      <h3>{t("answer")}</h3>
      <Suspense fallback={<SkeletonRows rows={3} label={t("loadingOne")} />}>
        <DataView value={shown} empty={t("noAnswer")} />
      </Suspense>
    </section>
  );
}

/** Of a step in doubt: what it may have sent, and what each answer comes to. */
function InDoubt({ task }: { task: TaskDetail }) {
  const { t } = useTranslation("inbox");
  return (
    <>
      <Suspense fallback={<SkeletonRows rows={4} label={t("loadingOne")} />}>
        <WhatWasSent run={task.run.id} node={task.node} seq={task.run.seq} bare />
      </Suspense>
      {task.may_decide && (
        <section className={css.block}>
          <h3>{t("doubt.title")}</h3>
          <ul className={css.ways}>
            {task.choices.map((choice) => (
              <li key={choice.id}>
                <b>{t(`choice.${choice.id}`).replace(/\s*…$/, "")}:</b> {t(`doubt.${choice.id}`)}
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

interface TaskViewProps {
  task: TaskDetail;
  head: Ref<HTMLHeadingElement>;
  /** What there is to fill in, or what is said in its place. */
  children?: ReactNode;
  /** The buttons at the foot. */
  foot?: ReactNode;
  /** It is decided and on its way: nothing else can be done with it. */
  busy?: boolean;
}

/** A question with all that there is to decide by. */
export function TaskView({ task, head, children, foot, busy = false }: TaskViewProps) {
  const { t } = useTranslation("inbox");
  const format = useFormatter();
  const amount = amountText(task.amount, task.currency, format);
  const builder = useCan("builder");
  const reviewer = useCan("reviewer");
  const stopped = task.outcome === "give_up" && task.run.status === "dead_lettered";
  const failed = !busy && task.kind === "exception" && !task.in_doubt && (task.may_decide || stopped);
  const mendable = builder && failed && !task.run.parent;
  return (
    <article className={css.pane}>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls can be scrolled with the keys */}
      <div className={css.scroll} tabIndex={0} role="group" aria-label={taskTitle(task)}>
        <div className={css.inner}>
          <header className={css.head}>
            <KindTile kind={task.kind} />
            <div>
              <h2 ref={head} tabIndex={-1}>
                {taskTitle(task)}
              </h2>
              <p className={css.where}>
                {task.run.workflow.name} · {t("askedAt")} <Time at={task.created_at} />
              </p>
            </div>
          </header>
          {amount && <p className={css.amount}>{amount}</p>}
          <div className={css.chips}>
            {isAsking(task) && task.due_at && <DueChip at={task.due_at} />}
            <StateChips task={task} />
            <VotesChip task={task} />
            {task.run.mode === "test" && <TestChip />}
          </div>
          <div role="status">{children === undefined && <Ended task={task} />}</div>
          {isAsking(task) && <Stranded task={task} />}
          {isAsking(task) && <Why task={task} />}
          {isAsking(task) && <Away task={task} />}
          {(task.may_take || task.may_hand_over || task.taken_by) && isAsking(task) && !busy && (
            <Suspense fallback={null}>
              <Handing task={task} />
            </Suspense>
          )}
          {task.error && <ErrorBox error={task.error} />}
          {mendable && (
            <Suspense fallback={null}>
              <Mending key={task.id} task={task} />
            </Suspense>
          )}
          {reviewer && failed && <MendItem task={task} />}
          {reviewer && !busy && task.kind === "exception" && task.may_decide && isAsking(task) && (
            <Suspense fallback={null}>
              <UndoAsked key={task.id} task={task} />
            </Suspense>
          )}
          {task.in_doubt && task.status === "open" && <InDoubt task={task} />}
          {task.text && !task.error && <p className={css.text}>{task.text}</p>}
          <Warnings task={task} />
          <Facts task={task} />
          <Link to="/runs/$runId" params={{ runId: task.run.id }} search={{ step: task.node }} className={buttonClass("link")}>
            {t("seeRun", { name: runTitle(task.run) })}
            <ArrowRight size={14} aria-hidden />
          </Link>
          <Answer task={task} />
          <Votes task={task} />
          <Suspense fallback={null}>
            <Meanwhile task={task} />
            {task.kind === "approval" && isAsking(task) && <Alike task={task} />}
          </Suspense>
          {children}
        </div>
      </div>
      {foot && <footer className={css.foot}>{foot}</footer>}
    </article>
  );
}
