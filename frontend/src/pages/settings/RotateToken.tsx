import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { api, newIdempotencyKey } from "../../api/client";
import { workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { ApiToken } from "../../api/types";
import { Button, CopyBox, Dialog, ErrorCard, Note, SelectField } from "../../ui";
import { OVERLAPS } from "../connections/life";
import css from "./settings.module.css";

/** A new token in place of one, which is accepted a while longer. */
export function RotateToken({ token, days, onClose }: { token: ApiToken; days: readonly string[]; onClose: () => void }) {
  const { t } = useTranslation(["settings", "connections", "common"]);
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const [hours, setHours] = useState("24");
  const [until, setUntil] = useState("90");
  const key = useMemo(newIdempotencyKey, []);
  const rotate = useMutation({
    mutationFn: () =>
      api.post<{ token: string }>(
        `${workspacePath(workspace)}/tokens/${token.id}/rotate`,
        { overlap_hours: Number(hours), expires_days: Number(until) },
        { idempotencyKey: key },
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: [workspace, "tokens"] }),
  });
  if (rotate.data) {
    return (
      <Dialog
        opened
        onClose={onClose}
        title={t("tokens.madeTitle", { name: token.name })}
        footer={
          <Button variant="primary" onClick={onClose}>
            {t("tokens.stored")}
          </Button>
        }
      >
        <Note tone="wait">{t("tokens.once")}</Note>
        <CopyBox text={rotate.data.token} label={t("tokens.copy")} />
      </Dialog>
    );
  }
  return (
    <Dialog opened onClose={onClose} title={t("tokens.rotateName", { name: token.name })}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          rotate.mutate();
        }}
      >
        <p>{t("tokens.rotateText")}</p>
        {rotate.isError && <ErrorCard title={t("tokens.failed")} error={rotate.error} />}
        <SelectField
          label={t("tokens.overlap")}
          value={hours}
          options={["0", ...OVERLAPS].map((value) => ({ value, label: t(`connections:rotate.hours.${value}`) }))}
          onChange={setHours}
        />
        <SelectField
          label={t("tokens.expires")}
          value={until}
          options={days.map((value) => ({ value, label: t("tokens.days", { count: Number(value) }) }))}
          onChange={setUntil}
        />
        <div style={{ display: "flex", justifyContent: "flex-end", gap: 10 }}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={rotate.isPending}>
            {t("tokens.create")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
