import { Link } from "@tanstack/react-router";
import { ArrowRight, BellRing, User } from "lucide-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { useTasksOfRun } from "../../api/queries";
import { ApiError } from "../../api/client";
import { remindedLately, useRemind } from "../../api/remind";
import { useCan } from "../../api/session";
import type { Json, Run, RunStep, Task } from "../../api/types";
import { Avatar, Button, buttonClass, Note, showToast, Time, useErrorText } from "../../ui";
import { namesOf } from "../inbox/names";
import css from "./people.module.css";
import { decisionsOf } from "./people";

/** A step that waits for people: for whom, and the way to their question. */
export function WaitsForPeople({ run, step }: { run: Run; step: RunStep }) {
  const { t } = useTranslation("runs");
  const task = useTasksOfRun(run.id, step.seq).data?.items.find((one) => one.node === step.node);
  const names = namesOf(task?.asked ?? []);
  const mine = task?.may_decide;
  return (
    <Note tone="wait" icon={<User size={16} aria-hidden />}>
      <b>{names ? t("people.waitsFor", { names }) : t("people.waits")}</b>
      {task && task.needs > 1 && (
        <div>{t("people.soFar", { count: task.votes.filter((vote) => vote.outcome === "approved").length, needs: task.needs })}</div>
      )}
      {task && (
        <div className={css.deeds}>
          <Link to="/inbox" search={{ task: task.id, ...(mine ? {} : { who: "anybody" as const }) }} className={buttonClass("link")}>
            {t("people.open")}
            <ArrowRight size={14} aria-hidden />
          </Link>
          <Remind task={task} />
        </div>
      )}
    </Note>
  );
}

const WHY_NOT = ["no_mail", "reminded_lately", "nobody_to_remind"];

/** A mail now to those who have not answered; for a while after one, when that was. */
function Remind({ task }: { task: Task }) {
  const { t } = useTranslation("runs");
  const may = useCan("reviewer");
  const errorText = useErrorText();
  const remind = useRemind(task.id);
  const status = useRef<HTMLSpanElement>(null);
  const lately = task.reminded_at !== null && remindedLately(task.reminded_at, Date.now());
  // The button that was used is gone: whoever used it goes on from what stands there now.
  const used = lately && remind.isSuccess;
  useEffect(() => {
    if (used && document.activeElement === document.body) status.current?.focus();
  }, [used]);
  if (!may) return null;
  if (task.reminded_at && lately) {
    return (
      <span ref={status} tabIndex={-1} className={css.reminded} role="status">
        {t("people.reminded")} <Time at={task.reminded_at} />
      </span>
    );
  }
  const send = () =>
    remind.mutate(undefined, {
      onSuccess: ({ told }) => showToast({ title: t("people.remindedMany", { count: told }) }),
      onError: (error) =>
        showToast({
          tone: "err",
          title: t("people.remindFailed"),
          text: error instanceof ApiError && WHY_NOT.includes(error.code) ? t(`people.remindWhy.${error.code}`, { count: Number(error.params["minutes"] ?? 0) }) : errorText(error).title,
        }),
    });
  return (
    <Button size="sm" icon={<BellRing size={14} aria-hidden />} busy={remind.isPending} onClick={send}>
      {t("people.remind")}
    </Button>
  );
}

/** What people said, as it stands in the output of the step that asked them. */
export function PeopleSaid({ output }: { output: Json }) {
  const { t, i18n } = useTranslation("runs");
  const decisions = decisionsOf(output);
  if (decisions.length === 0) return null;
  return (
    <section className={css.block}>
      <h3>{t("people.said")}</h3>
      <ul className={css.said}>
        {decisions.map((one) => (
          <li key={`${one.by} ${one.at}`}>
            <Avatar name={one.by} />
            <div>
              <b>{one.inPlaceOf ? t("people.byFor", { by: one.by, name: one.inPlaceOf }) : one.by}</b> · {one.called ? one.called : i18n.exists(`people.outcome.${one.outcome}`, { ns: "runs" }) ? t(`people.outcome.${one.outcome}`) : one.outcome}
              {one.at && (
                <>
                  {" · "}
                  <Time at={one.at} />
                </>
              )}
              {one.comment && <p>{one.comment}</p>}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
