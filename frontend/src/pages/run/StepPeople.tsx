import { Link } from "@tanstack/react-router";
import { ArrowRight, User } from "lucide-react";
import { useTranslation } from "react-i18next";

import { useTasksOfRun } from "../../api/queries";
import type { Json, Run, RunStep } from "../../api/types";
import { Avatar, buttonClass, Note, Time } from "../../ui";
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
        <div>
          <Link to="/inbox" search={{ task: task.id, ...(mine ? {} : { who: "anybody" as const }) }} className={buttonClass("link")}>
            {t("people.open")}
            <ArrowRight size={14} aria-hidden />
          </Link>
        </div>
      )}
    </Note>
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
