import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CirclePause } from "lucide-react";
import { useTranslation } from "react-i18next";

import { api, newIdempotencyKey } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { BrokenShape } from "../../api/schema.gen";
import { useWorkspace } from "../../api/session";
import type { Connection } from "../../api/types";
import { Button, showToast, Time, useErrorText, useFormatter } from "../../ui";
import css from "./connections.module.css";

/** Since when it is broken, what waits for it, and that it is repaired. */
export function BrokenLine({ connection, broken }: { connection: Connection; broken: BrokenShape }) {
  const { t } = useTranslation("connections");
  const format = useFormatter();
  const errorText = useErrorText();
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const go = useMutation({
    mutationFn: () => api.post(`${workspacePath(workspace)}/connections/${connection.id}/go-on`, {}, { idempotencyKey: newIdempotencyKey() }),
    onError: (error) => showToast({ tone: "err", title: t("testFailed"), text: errorText(error).title }),
    onSettled: () => client.invalidateQueries({ queryKey: [workspace, "connections"] }),
  });
  return (
    <div className={css.broken}>
      <CirclePause size={14} aria-hidden />
      <span>
        {t("broken.waiting", { count: broken.waiting, number: format.number(broken.waiting) })} <Time at={broken.since} /> · {broken.reason}
      </span>
      {connection.mine && (
        <Button variant="link" busy={go.isPending} onClick={() => go.mutate()}>
          {t("broken.repaired")}
        </Button>
      )}
    </div>
  );
}
