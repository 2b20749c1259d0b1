import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import type { ReviewRow } from "../../api/reviews";
import { Button, Dialog, TextAreaField, useFormatter } from "../../ui";
import css from "./review.module.css";

/** Why these rows are left out. */
export function RejectDialog({ rows, onClose, onReject }: { rows: readonly ReviewRow[]; onClose: () => void; onReject: (reason: string) => void }) {
  const { t } = useTranslation(["reviews", "common"]);
  const format = useFormatter();
  const [reason, setReason] = useState("");
  const [missing, setMissing] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (reason.trim() === "") setMissing(true);
    else onReject(reason.trim());
  };
  return (
    <Dialog opened onClose={onClose} title={t("reject.title", { count: rows.length, number: format.number(rows.length) })}>
      <form onSubmit={submit} className={css.deed}>
        <p>{t("reject.text", { count: rows.length })}</p>
        <TextAreaField
          label={t("deed.why")}
          aside={t("common:required")}
          error={missing && reason.trim() === "" ? t("deed.sayWhy") : undefined}
          rows={2}
          maxLength={500}
          value={reason}
          data-autofocus
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <div className={css.deedButtons}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary">
            {t("reject.confirm", { count: rows.length, number: format.number(rows.length) })}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
