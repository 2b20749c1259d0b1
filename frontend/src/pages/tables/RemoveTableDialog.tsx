import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { useWorkspace } from "../../api/session";
import { type DataTable, refreshTables, removeTable, useTableUses } from "../../api/tables";
import { ConfirmDialog, ErrorCard, Note, showToast, SkeletonRows, useFormatter } from "../../ui";
import css from "./tables.module.css";

/** Asks before a table is deleted, and says what it is needed for. */
export function RemoveTableDialog({ table, onClose, onRemoved }: { table: DataTable; onClose: () => void; onRemoved: () => void }) {
  const { t } = useTranslation("tables");
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const format = useFormatter();
  const uses = useTableUses(table.id);
  const used = uses.data ?? [];
  const remove = useMutation({
    mutationFn: () => removeTable(workspace, table.id, used.length > 0),
    onSuccess: async () => {
      showToast({ title: t("remove.done", { name: table.name }) });
      onRemoved();
      await refreshTables(client, workspace);
    },
    // Something may have come to use it since.
    onError: () => uses.refetch(),
  });
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={t("remove.title", { name: table.name })}
      confirm={used.length > 0 ? t("remove.anyway") : t("remove.confirm")}
      variant="dangerFilled"
      busy={remove.isPending}
      disabled={!uses.data}
      onConfirm={() => remove.mutate()}
    >
      {remove.isError && <ErrorCard title={t("remove.failed")} error={remove.error} />}
      {uses.isError && <ErrorCard title={t("remove.usesFailed")} error={uses.error} onRetry={() => void uses.refetch()} />}
      {uses.isPending && <SkeletonRows rows={2} height={16} label={t("remove.looking")} />}
      {used.length > 0 && (
        <Note tone="wait">
          <p>{t("remove.used", { count: used.length })}</p>
          <ul className={css.uses}>
            {used.map((one) => (
              <li key={one.id}>
                <Link to="/workflows/$id/build" params={{ id: one.id }}>
                  {one.name}
                </Link>
                {one.steps.length > 0 && `: ${one.steps.join(", ")}`}
              </li>
            ))}
          </ul>
        </Note>
      )}
      <p>{t("remove.forGood", { count: table.rows, number: format.number(table.rows) })}</p>
    </ConfirmDialog>
  );
}
