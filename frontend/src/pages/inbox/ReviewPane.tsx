import { Link } from "@tanstack/react-router";
import { ListChecks } from "lucide-react";
import type { Ref } from "react";
import { useTranslation } from "react-i18next";

import { useReview } from "../../api/reviews";
import type { TaskDetail } from "../../api/types";
import { buttonClass, Note, SkeletonRows } from "../../ui";
import { Said } from "../review/Said";
import { Stages } from "../review/Stages";
import { Totals } from "../review/Totals";
import css from "./inbox.module.css";
import { isAsking } from "./task";
import { TaskView } from "./TaskView";

/** A list that is reviewed: how it stands, and the way to its page. */
export function ReviewPane({ task, head }: { task: TaskDetail; head: Ref<HTMLHeadingElement> }) {
  const { t } = useTranslation("reviews");
  const { data: review } = useReview(task.id);
  const open = (
    <div className={css.buttons} data-count={1}>
      <Link to="/reviews/$taskId" params={{ taskId: task.id }} className={buttonClass(isAsking(task) ? "primary" : "default")}>
        <ListChecks size={17} aria-hidden />
        {t("open")}
      </Link>
    </div>
  );
  return (
    <TaskView task={task} head={head} foot={open}>
      {!review ? (
        <SkeletonRows rows={4} label={t("loading")} />
      ) : (
        <>
          {isAsking(task) && (
            <Note tone="accent" icon={<ListChecks size={16} aria-hidden />}>
              {review.stage === "release" ? t("summary.release", { name: review.handed_by }) : t(review.two_people ? "summary.review" : "summary.reviewAlone")}
            </Note>
          )}
          <Stages review={review} task={task} />
          <Said review={review} task={task} />
          <Totals review={review} />
        </>
      )}
    </TaskView>
  );
}
