import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api, newIdempotencyKey } from "../../api/client";
import { workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { Member } from "../../api/types";
import { Button, Dialog, ErrorCard, Note, TextField } from "../../ui";
import css from "./settings.module.css";

interface Erased {
  pseudonym: string;
  rows: number;
  workflows: string[];
}

/** Replace who somebody is by a pseudonym; what they did stays. */
export default function EraseDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const { t } = useTranslation(["settings", "common"]);
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const [email, setEmail] = useState("");
  const [reason, setReason] = useState("");
  const erase = useMutation({
    mutationFn: () =>
      api.post<Erased>(
        `${workspacePath(workspace)}/members/${member.id}/erase`,
        { email: email.trim(), reason: reason.trim() },
        { idempotencyKey: newIdempotencyKey() },
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: [workspace] }),
  });
  const fields = erase.error instanceof ApiError ? erase.error.fields : {};
  if (erase.data) {
    return (
      <Dialog
        opened
        onClose={onClose}
        title={t("members.erase.done", { name: erase.data.pseudonym })}
        footer={
          <Button variant="primary" onClick={onClose}>
            {t("common:action.close")}
          </Button>
        }
      >
        <p>{t("members.erase.rows", { count: erase.data.rows })}</p>
        {erase.data.workflows.length > 0 && (
          <Note>{t("members.erase.workflows", { names: erase.data.workflows.join(", ") })}</Note>
        )}
        <p>{t("members.erase.left")}</p>
      </Dialog>
    );
  }
  const ready = email.trim().toLowerCase() === member.email.toLowerCase() && reason.trim() !== "";
  return (
    <Dialog opened onClose={onClose} title={t("members.erase.title", { name: member.name || member.email })}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) erase.mutate();
        }}
      >
        {erase.isError && Object.keys(fields).length === 0 && <ErrorCard title={t("members.erase.failed")} error={erase.error} />}
        <p>{t("members.erase.text")}</p>
        <p>{t("members.erase.left")}</p>
        <TextField
          label={t("members.erase.reason")}
          value={reason}
          maxLength={400}
          required
          data-autofocus
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <TextField
          label={t("members.erase.type", { email: member.email })}
          value={email}
          autoComplete="off"
          required
          error={fields.email?.join(" ")}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <div style={{ display: "flex", justifyContent: "flex-end", gap: 10 }}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="dangerFilled" busy={erase.isPending} disabled={!ready}>
            {t("members.erase.confirm")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
