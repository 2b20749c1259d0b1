import { Archive } from "lucide-react";
import { useTranslation } from "react-i18next";

import { useFormatter } from "../../ui";
import css from "../workflow/control/control.module.css";

/** Below the bar of a run whose data a rule of the workspace has removed: since when, and what stays. */
export default function ExpiredBar({ at }: { at: string }) {
  const { t } = useTranslation("retention");
  const format = useFormatter();
  return (
    <div className={css.banner} data-testid="expired-bar">
      <Archive size={18} aria-hidden />
      <div className={css.words}>
        <b>{t("expired.run", { day: format.day(at) })}</b>
        <span>{t("expired.text")}</span>
      </div>
    </div>
  );
}
