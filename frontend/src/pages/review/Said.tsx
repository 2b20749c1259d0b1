import { MessageSquare, ShieldAlert, Undo2, UserX } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { Review } from "../../api/reviews";
import type { TaskDetail } from "../../api/types";
import { Note, Time } from "../../ui";

/** What people have said about the list, and why something cannot be done. */
export function Said({ review, task }: { review: Review; task: TaskDetail }) {
  const { t } = useTranslation("reviews");
  const vote = task.votes.at(-1);
  const open = task.status === "open" && !task.over;
  return (
    <>
      {!open && review.stage !== "released" && review.stage !== "rejected" && <Note tone="idle">{t("said.over")}</Note>}
      {review.sent_back && open && review.stage === "review" && (
        <Note tone="wait" icon={<Undo2 size={16} aria-hidden />}>
          <b>{t("said.sentBack", { name: review.sent_back.by })}</b> {review.sent_back.reason} · <Time at={review.sent_back.at} />
        </Note>
      )}
      {review.handed_comment && review.stage !== "review" && (
        <Note tone="accent" icon={<MessageSquare size={16} aria-hidden />}>
          <b>{review.handed_by}:</b> {review.handed_comment}
        </Note>
      )}
      {vote?.comment && (
        <Note tone={review.stage === "rejected" ? "err" : "ok"} icon={<MessageSquare size={16} aria-hidden />}>
          <b>{vote.by}:</b> {vote.comment}
        </Note>
      )}
      {open && review.nobody && (review.stage === "release" || review.may_edit) && (
        <Note tone="err" icon={<UserX size={16} aria-hidden />}>
          <b>{t(review.stage === "release" ? "said.nobodyTitle" : "said.nobodyIfYou")}</b> {t("said.nobody")}
        </Note>
      )}
      {open && review.stage === "release" && review.four_eyes && !review.nobody && (
        <Note tone="wait" icon={<ShieldAlert size={16} aria-hidden />}>
          <b>{t("said.fourEyesTitle")}</b> {t("said.fourEyes")}
        </Note>
      )}
      {open && review.stage === "release" && !review.four_eyes && !review.may_release && <Note tone="idle">{t("said.othersRelease")}</Note>}
      {open && review.stage === "review" && !review.may_edit && <Note tone="idle">{t("said.othersReview")}</Note>}
    </>
  );
}
