import { ChevronDown, Download, Fingerprint } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { type Review, type ReviewChange, sheetUrl, useReviewChanges } from "../../api/reviews";
import { useWorkspace } from "../../api/session";
import { Avatar, Button, buttonClass, Card, ErrorCard, SkeletonRows, Time, useFormatter } from "../../ui";
import { cellText } from "../tables/words";
import { plainCell } from "./edits";
import css from "./review.module.css";

/** What was done to the list, by whom, and what proves it. */
export function History({ review }: { review: Review }) {
  const { t } = useTranslation("reviews");
  const workspace = useWorkspace().id;
  const [open, setOpen] = useState(false);
  return (
    <Card className={css.history}>
      <div className={css.historyHead}>
        <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
          <ChevronDown size={16} aria-hidden data-open={open} />
          {t("history.title")}
        </button>
        {review.sha256 && (
          <span className={css.digest} title={review.sha256}>
            <Fingerprint size={15} aria-hidden />
            <span className="srOnly">{t("history.digest")}</span>
            <code>SHA-256 {review.sha256.slice(0, 16)}…</code>
          </span>
        )}
        <a className={buttonClass("default", "sm")} href={sheetUrl(workspace, review.task_id)} download>
          <Download size={14} aria-hidden /> {t("history.download")}
        </a>
      </div>
      {open && <Changes review={review} />}
    </Card>
  );
}

function Changes({ review }: { review: Review }) {
  const { t } = useTranslation("reviews");
  const found = useReviewChanges(review.task_id, review.revision);
  const changes = found.data?.pages.flatMap((page) => page.items) ?? [];
  if (found.isPending) return <SkeletonRows rows={3} height={30} label={t("loading")} />;
  if (found.isError) return <ErrorCard title={t("loadFailed")} error={found.error} onRetry={() => void found.refetch()} />;
  if (changes.length === 0) return <p className={css.faint}>{t("history.none")}</p>;
  return (
    <>
      <ul className={css.changes}>
        {changes.map((change) => (
          <li key={change.id}>
            <Avatar name={change.by} />
            <div>
              <span>
                <b>{change.by}</b> {t(`history.${change.kind}`, { number: change.number })} · <Time at={change.at} />
              </span>
              <Cells review={review} change={change} />
              {change.reason && <q>{change.reason}</q>}
            </div>
          </li>
        ))}
      </ul>
      {found.hasNextPage && (
        <Button size="sm" busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t("more")}
        </Button>
      )}
    </>
  );
}

function Cells({ review, change }: { review: Review; change: ReviewChange }) {
  const { t } = useTranslation(["reviews", "common"]);
  const format = useFormatter();
  const names = Object.keys(change.after);
  if (names.length === 0) return null;
  const yesNo = [t("common:yes"), t("common:no")] as const;
  return (
    <span className={css.cells}>
      {names.map((name) => {
        const column = review.columns.find((one) => one.name === name);
        const written = (cell: ReviewChange["after"][string] | undefined) => cellText(plainCell(cell), { type: column?.type ?? "text" }, format, yesNo) || "–";
        return (
          <span key={name}>
            {column?.label ?? name}: <s>{written(change.before[name])}</s> → <b>{written(change.after[name])}</b>
          </span>
        );
      })}
    </span>
  );
}
