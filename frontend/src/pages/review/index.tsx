import { Link, useParams } from "@tanstack/react-router";
import { ChevronRight, CircleCheck, Send, Undo2, X } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { useTask } from "../../api/queries";
import { type Deed, type Review, useReview } from "../../api/reviews";
import type { TaskDetail } from "../../api/types";
import { Button, Chip, ErrorCard, PageBody, SkeletonRows, TopBar } from "../../ui";
import { useWidth } from "../../ui/useWidth";
import { FileLines } from "../../preview/FileLine";
import { filesOf } from "../../preview/value";
import { FactTable } from "../inbox/FactTable";
import { tableOf } from "../inbox/task";
import { DeedDialog } from "./DeedDialog";
import { History } from "./History";
import css from "./review.module.css";
import { Rows } from "./Rows";
import { Said } from "./Said";
import { Stages } from "./Stages";
import { Totals } from "./Totals";

const EVERY = 8_000;
const TONES = { review: "wait", release: "run", released: "ok", rejected: "err" } as const;

/** A list of prepared rows: looked through, mended, handed over, and released by a second person. */
export default function ReviewPage() {
  const { t } = useTranslation(["reviews", "common"]);
  const { taskId } = useParams({ from: "/shell/reviews/$taskId" });
  const found = useReview(taskId);
  const task = useTask(taskId, EVERY);
  const phone = useWidth() < 900;
  const [deed, setDeed] = useState<Deed | null>(null);
  const [unsaved, setUnsaved] = useState(0);
  const review = found.data;
  const title = task.data?.title;
  useEffect(() => {
    document.title = [title, "Millrace"].filter(Boolean).join(" · ");
  }, [title]);
  const stage = task.data && task.data.status !== "open" && review && (review.stage === "review" || review.stage === "release") ? null : review?.stage;
  const actions = review && task.data && <Actions review={review} unsaved={unsaved} onDeed={setDeed} />;
  return (
    <>
      <TopBar
        showWay
        crumbs={
          <>
            <Link to="/inbox" search={{ task: taskId }}>
              {t("inbox")}
            </Link>
            <ChevronRight size={14} aria-hidden />
          </>
        }
        title={title ?? "…"}
        chips={stage && !phone && <Chip tone={TONES[stage]}>{t(`stage.${stage}`)}</Chip>}
        actions={phone ? undefined : actions}
      />
      <PageBody className={css.page}>
        {found.isError && !review ? (
          <ErrorCard title={t("loadFailed")} error={found.error} onRetry={() => void found.refetch()} />
        ) : !review || !task.data ? (
          <SkeletonRows rows={8} height={40} label={t("loading")} />
        ) : (
          <>
            <Stages review={review} task={task.data} />
            <About task={task.data} />
            <Said review={review} task={task.data} />
            <Totals review={review} />
            <Rows review={review} phone={phone} onUnsaved={setUnsaved} />
            <History review={review} />
          </>
        )}
      </PageBody>
      {phone && actions && <div className={css.phoneBar}>{actions}</div>}
      {review && deed && <DeedDialog review={review} deed={deed} onClose={() => setDeed(null)} />}
    </>
  );
}

function About({ task }: { task: TaskDetail }) {
  if (!task.text && task.facts.length === 0) return null;
  return (
    <div className={css.about}>
      {task.text && <p>{task.text}</p>}
      {task.facts.length > 0 && (
        <dl>
          {task.facts.map(({ label, value }) => {
            const table = tableOf(value);
            const files = filesOf(value);
            return (
              <div key={label} data-long={table !== null || files.length > 0 || undefined}>
                <dt>{label}</dt>
                <dd>
                  {table ? (
                    <FactTable label={label} table={table} />
                  ) : files.length > 0 ? (
                    <FileLines files={files} below open={null} />
                  ) : value === null || value === "" ? (
                    "–"
                  ) : (
                    String(value)
                  )}
                </dd>
              </div>
            );
          })}
        </dl>
      )}
    </div>
  );
}

function Actions({ review, unsaved, onDeed }: { review: Review; unsaved: number; onDeed: (deed: Deed) => void }) {
  const { t } = useTranslation("reviews");
  const { stage } = review;
  return (
    <>
      {review.may_reject && (
        <Button icon={<X size={16} aria-hidden />} onClick={() => onDeed("reject")}>
          {t("deed.reject.open")}
        </Button>
      )}
      {review.may_send_back && (
        <Button icon={<Undo2 size={16} aria-hidden />} onClick={() => onDeed("send-back")}>
          {t(review.four_eyes ? "deed.take-back.open" : "deed.send-back.open")}
        </Button>
      )}
      {stage === "review" && review.may_edit && (
        <Button
          variant="primary"
          icon={<Send size={16} aria-hidden />}
          disabled={!review.may_hand_over || unsaved > 0 || (review.differs && review.must_agree)}
          onClick={() => onDeed("hand-over")}
        >
          {t("deed.hand-over.open")}
        </Button>
      )}
      {stage === "release" && review.may_release && (
        <Button variant="primary" icon={<CircleCheck size={16} aria-hidden />} onClick={() => onDeed("release")}>
          {t("deed.release.open")}
        </Button>
      )}
    </>
  );
}
