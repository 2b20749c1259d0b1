import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, newIdempotencyKey } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { ReplacedShape, UsesShape } from "../../api/schema.gen";
import { useWorkspace } from "../../api/session";
import type { Connection } from "../../api/types";
import { Button, Chip, Dialog, ErrorCard, Note, SelectField, showToast, SkeletonRows, useFormatter } from "../../ui";
import css from "./connections.module.css";

/** Which workflows use a connection, by which steps; and another one put in its place in all of them. */
export function UsesDialog({ connection, others, onClose }: { connection: Connection; others: readonly Connection[]; onClose: () => void }) {
  const { t } = useTranslation(["connections", "common"]);
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const base = `${workspacePath(workspace)}/connections/${connection.id}`;
  const [other, setOther] = useState("");
  const uses = useQuery({
    queryKey: [workspace, "connections", connection.id, "uses"],
    queryFn: async ({ signal }) => (await api.get<UsesShape>(`${base}/uses`, { signal })).items,
    staleTime: 0,
  });
  const replace = useMutation({
    mutationFn: () => api.post<ReplacedShape>(`${base}/replace`, { other }, { idempotencyKey: newIdempotencyKey() }),
    onSuccess: async (found) => {
      showToast({
        title: t("uses.replaced", { count: found.steps, number: format.number(found.steps), name: others.find((one) => one.id === other)?.name ?? "" }),
        text: t("uses.publish"),
      });
      onClose();
      await client.invalidateQueries({ queryKey: [workspace] });
    },
  });
  const fit = others.filter((one) => one.kind === connection.kind && one.id !== connection.id);
  const drafts = uses.data?.filter((one) => one.draft) ?? [];
  const steps = drafts.reduce((sum, one) => sum + one.steps.length, 0);
  return (
    <Dialog opened onClose={onClose} title={t("uses.title", { name: connection.name })} size={560}>
      <div className={css.uses}>
        {uses.isError && <ErrorCard error={uses.error} onRetry={() => void uses.refetch()} />}
        {uses.isPending && <SkeletonRows rows={3} label={t("loading")} />}
        {uses.data?.length === 0 && <p>{t("uses.none")}</p>}
        {uses.data && uses.data.length > 0 && (
          <ul>
            {uses.data.map((one) => (
              <li key={one.workflow_id}>
                <Link to="/workflows/$id/build" params={{ id: one.workflow_id }}>
                  {one.name}
                </Link>
                {one.live && <Chip tone="ok">{t("uses.live")}</Chip>}
                {!one.live && <Chip>{t("uses.draft")}</Chip>}
                <small>{one.steps.join(", ")}</small>
              </li>
            ))}
          </ul>
        )}
        {drafts.length > 0 && connection.mine && (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (other) replace.mutate();
            }}
          >
            {replace.isError && <ErrorCard title={t("uses.failed")} error={replace.error} />}
            {fit.length === 0 ? (
              <Note tone="idle">{t("uses.noOther")}</Note>
            ) : (
              <>
                <SelectField
                  label={t("uses.with")}
                  hint={t("uses.hint")}
                  value={other}
                  options={[{ value: "", label: "–" }, ...fit.map((one) => ({ value: one.id, label: one.name }))]}
                  onChange={setOther}
                />
                <div className={css.usesFoot}>
                  <Button onClick={onClose}>{t("common:action.cancel")}</Button>
                  <Button type="submit" variant="primary" disabled={!other} busy={replace.isPending}>
                    {t("uses.confirm", { count: steps, number: format.number(steps) })}
                  </Button>
                </div>
              </>
            )}
          </form>
        )}
      </div>
    </Dialog>
  );
}
