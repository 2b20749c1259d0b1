import { RefreshCw, X } from "lucide-react";
import { useTranslation } from "react-i18next";

import { Button, IconButton, useErrorText, useFormatter } from "../../ui";
import css from "./files.module.css";
import { share, type Waiting } from "./queue";
import type { Uploads } from "./useUploads";

/** What is on its way here: how far, and what failed. */
export function UploadList({ uploads }: { uploads: Uploads }) {
  const { t } = useTranslation("files");
  if (uploads.queue.length === 0) return null;
  return (
    <ul className={css.uploads} aria-label={t("uploads")}>
      {uploads.queue.map((one) => (
        <li key={one.key} data-state={one.state}>
          <Line one={one} uploads={uploads} />
        </li>
      ))}
    </ul>
  );
}

function Line({ one, uploads }: { one: Waiting; uploads: Uploads }) {
  const { t } = useTranslation(["files", "common"]);
  const format = useFormatter();
  const words = useErrorText();
  const failed = one.state === "failed";
  const problem = failed ? words(one.error) : null;
  const percent = Math.round(share(one) * 100);
  const far = t("sent", { sent: format.bytes(one.sent), size: format.bytes(one.size) });
  return (
    <>
      <span className={css.uploadName}>
        <b>{one.name}</b>
        {problem ? (
          <small role="alert" className={css.wrong}>
            {problem.title}
            {problem.text && ` ${problem.text}`}
          </small>
        ) : (
          <small className="tn">{one.state === "waits" ? t("waits", { size: format.bytes(one.size) }) : far}</small>
        )}
      </span>
      {!failed && (
        <span
          className={css.bar}
          role="progressbar"
          aria-label={one.name}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={percent}
          aria-valuetext={far}
        >
          <i style={{ width: `${percent}%` }} />
        </span>
      )}
      {failed && (
        <Button size="sm" icon={<RefreshCw size={14} aria-hidden />} onClick={() => uploads.retry(one.key)}>
          {t("common:action.tryAgain")}
        </Button>
      )}
      <IconButton
        size="sm"
        label={failed ? t("takeOff", { name: one.name }) : t("stop", { name: one.name })}
        icon={<X size={15} />}
        onClick={() => uploads.drop(one.key)}
      />
    </>
  );
}
