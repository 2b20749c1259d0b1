import { RefreshCw, X } from "lucide-react";
import { useTranslation } from "react-i18next";

import { Button, IconButton, useErrorText, useFormatter } from "../ui";
import { share, type Waiting } from "./queue";
import { dropUpload, retryUpload } from "./store";
import css from "./uploads.module.css";

/** How far an upload is, or why it failed, and what can be done about it. */
export function UploadLine({ one }: { one: Waiting }) {
  const { t } = useTranslation(["files", "common"]);
  const format = useFormatter();
  const words = useErrorText();
  const failed = one.state === "failed";
  const problem = failed ? words(one.error) : null;
  const percent = Math.round(share(one) * 100);
  const far = t("sent", { sent: format.bytes(one.sent), size: format.bytes(one.size) });
  return (
    <>
      <span className={css.name}>
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
        <Button size="sm" icon={<RefreshCw size={14} aria-hidden />} onClick={() => retryUpload(one.key)}>
          {t("common:action.tryAgain")}
        </Button>
      )}
      <IconButton
        size="sm"
        label={failed ? t("takeOff", { name: one.name }) : t("stop", { name: one.name })}
        icon={<X size={15} />}
        onClick={() => dropUpload(one.key)}
      />
    </>
  );
}

/** All that are given, one below the other. */
export function UploadLines({ queue, label, tray }: { queue: readonly Waiting[]; label: string; tray?: boolean }) {
  return (
    <ul className={css.lines} data-tray={tray || undefined} aria-label={label}>
      {queue.map((one) => (
        <li key={one.key} data-state={one.state}>
          <UploadLine one={one} />
        </li>
      ))}
    </ul>
  );
}
