import { useMutation, useQueryClient } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, newIdempotencyKey } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { PreviousShape } from "../../api/schema.gen";
import { useWorkspace } from "../../api/session";
import type { Connection } from "../../api/types";
import { Button, ConfirmDialog, ErrorCard, showToast, Time, useFormatter } from "../../ui";
import css from "./connections.module.css";

/** That two secrets are accepted, until when, and which of both was last used. */
export function PreviousLine({ connection, previous }: { connection: Connection; previous: PreviousShape }) {
  const { t } = useTranslation("connections");
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const format = useFormatter();
  const [asking, setAsking] = useState(false);
  const end = useMutation({
    mutationFn: () => api.delete(`${workspacePath(workspace)}/connections/${connection.id}/previous-secret`, { idempotencyKey: newIdempotencyKey() }),
    onSuccess: async () => {
      setAsking(false);
      showToast({ title: t("previous.ended", { name: connection.name }) });
      await client.invalidateQueries({ queryKey: [workspace, "connections"] });
      await client.invalidateQueries({ queryKey: [workspace, "expiring"] });
    },
  });
  return (
    <div className={css.previous}>
      <KeyRound size={14} aria-hidden />
      <span>
        {previous.until ? (
          <>
            {t("previous.until")}{" "}
            <time dateTime={previous.until} title={format.exact(previous.until)}>
              {format.dayClock(previous.until)}
            </time>
          </>
        ) : (
          t("previous.open")
        )}
        {" · "}
        {t("previous.old")} {previous.last_used_at ? <Time at={previous.last_used_at} /> : t("previous.unused")}
        {" · "}
        {t("previous.new")} {previous.present_used_at ? <Time at={previous.present_used_at} /> : t("previous.unused")}
        {connection.mine && (
          <>
            {" · "}
            <Button variant="link" onClick={() => setAsking(true)}>
              {t("previous.end")}
            </Button>
          </>
        )}
      </span>
      {asking && (
        <ConfirmDialog
          opened
          onClose={() => setAsking(false)}
          title={t("previous.endTitle", { name: connection.name })}
          confirm={t("previous.end")}
          variant="dangerFilled"
          busy={end.isPending}
          onConfirm={() => end.mutate()}
        >
          {end.isError && <ErrorCard title={t("rotate.failed")} error={end.error} />}
          <p>{previous.present_used_at ? t("previous.endText") : t("previous.endUnused")}</p>
        </ConfirmDialog>
      )}
    </div>
  );
}
