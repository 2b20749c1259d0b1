import { Undo2 } from "lucide-react";
import { useTranslation } from "react-i18next";

import { useRetries } from "../../api/queries";
import { failureMessage, failureTitle } from "../../i18n/server";
import { useRun } from "../../live";
import { useFormatter } from "../../ui";
import { startedBy } from "../runs/words";
import { causeOf } from "./undo";
import css from "./undo.module.css";

/** Below the bar of a run that is being undone, or was: what that means, and why. */
export function UndoBar() {
  const { t } = useTranslation("runs");
  const status = useRun((state) => state.run?.status);
  const shown = status === "compensating" || status === "compensated";
  return (
    <div role="status">
      {shown && (
        <div className={css.bar} data-testid="undo-bar">
          <Undo2 size={16} aria-hidden />
          <div>
            <b>{t(status === "compensating" ? "undo.under" : "undo.over")}</b> <Why />
          </div>
        </div>
      )}
    </div>
  );
}

function Why() {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  const run = useRun((state) => state.run);
  const retries = useRetries(run);
  // Until it is known whether somebody undid it, nothing is said about why.
  if (!run || (run.generation > 1 && !retries.data)) return null;
  const cause = causeOf(run, retries.data ?? []);
  switch (cause?.kind) {
    case "person": {
      const by = startedBy(cause.by || t("retry.someone"), t);
      return (
        <span>
          {t("undo.byAt", { by, time: format.exact(cause.at) })} {cause.reason && t("undo.because", { reason: cause.reason })}
        </span>
      );
    }
    case "cancelled":
      return <span>{t("undo.cancelled")}</span>;
    case "failed":
      return <span>{t("undo.failure", { title: failureTitle(cause.error) || failureMessage(cause.error) })}</span>;
    default:
      return null;
  }
}
