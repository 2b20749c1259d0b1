import { CircleCheck, CircleDashed, CircleX, type LucideIcon, PencilLine, ShieldCheck } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { Review } from "../../api/reviews";
import type { TaskDetail } from "../../api/types";
import { Time, useFormatter } from "../../ui";
import css from "./review.module.css";

/** How far the list is, and who has done what. */
export function Stages({ review, task }: { review: Review; task: TaskDetail }) {
  const { t } = useTranslation("reviews");
  const format = useFormatter();
  const vote = task.votes.at(-1);
  const { stage } = review;
  const ended = task.status !== "open" && stage !== "released" && stage !== "rejected";
  return (
    <ol className={css.stages} aria-label={t("stages.label")}>
      <Stage icon={CircleCheck} state="done" title={t("stages.prepared")}>
        {t("stages.rows", { count: review.rows, number: format.number(review.rows) })} · <Time at={task.created_at} />
      </Stage>
      {stage === "review" ? (
        <Stage icon={PencilLine} state={ended ? "off" : "now"} title={t("stages.review")}>
          {ended
            ? t("stages.ended")
            : review.todo > 0
              ? t("stages.todo", { count: review.todo, number: format.number(review.todo) })
              : t("stages.ready")}
        </Stage>
      ) : (
        <Stage icon={stage === "rejected" && !review.handed_at ? CircleX : CircleCheck} state="done" title={t("stages.reviewed")}>
          {review.handed_by || vote?.by} {review.handed_at && <>· <Time at={review.handed_at} /></>}
        </Stage>
      )}
      {stage === "released" || stage === "rejected" ? (
        <Stage icon={stage === "released" ? ShieldCheck : CircleX} state={stage === "released" ? "done" : "bad"} title={t(`stages.${stage}`)}>
          {vote?.by} {vote && <>· <Time at={vote.at} /></>}
        </Stage>
      ) : (
        <Stage icon={stage === "release" ? ShieldCheck : CircleDashed} state={stage === "release" && !ended ? "now" : "off"} title={t("stages.release")}>
          {ended ? t("stages.ended") : t(review.two_people ? "stages.second" : "stages.anyOf")}
        </Stage>
      )}
    </ol>
  );
}

function Stage({ icon: Icon, state, title, children }: { icon: LucideIcon; state: "done" | "now" | "off" | "bad"; title: string; children: ReactNode }) {
  return (
    <li data-state={state} aria-current={state === "now" ? "step" : undefined}>
      <Icon size={20} aria-hidden />
      <div>
        <b>{title}</b>
        <span>{children}</span>
      </div>
    </li>
  );
}
