import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { useWorkspace } from "../../api/session";
import { changeTable, type ColumnDraft, type DataTable, refreshTables, useTableUses } from "../../api/tables";
import { Button, Dialog, ErrorCard, Note, showToast, TextField } from "../../ui";
import { Columns } from "./Columns";
import css from "./tables.module.css";
import { columnProblems } from "./words";

/** Another name and other columns, with what becomes of the rows and of the workflows that name them. */
export function ChangeTableDialog({ table, onClose }: { table: DataTable; onClose: () => void }) {
  const { t } = useTranslation(["tables", "common"]);
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const uses = useTableUses(table.id);
  const [name, setName] = useState(table.name);
  const [columns, setColumns] = useState<readonly ColumnDraft[]>(table.columns);
  const kept = new Map(columns.flatMap((one) => (one.id === undefined ? [] : [[one.id, one.name.trim()] as const])));
  const gone = table.columns.filter((one) => !kept.has(one.id));
  const renamed = table.columns.filter((one) => kept.has(one.id) && kept.get(one.id) !== one.name);
  const change = useMutation({
    mutationFn: () => changeTable(workspace, table, { name: name.trim(), columns }),
    onSuccess: async () => {
      onClose();
      showToast({ title: t("change.done") });
      await refreshTables(client, workspace, table.id);
    },
  });
  const incomplete = name.trim() === "" || columnProblems(columns).size > 0;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!incomplete) change.mutate();
  };
  return (
    <Dialog opened onClose={onClose} title={t("change.title", { name: table.name })} size={760}>
      <form onSubmit={submit} className={css.form}>
        <TextField label={t("new.name")} value={name} maxLength={100} onChange={(event) => setName(event.currentTarget.value)} />
        <Columns columns={columns} onChange={setColumns} fixed={table.rows > 0} />
        {gone.length > 0 && table.rows > 0 && <Note tone="wait">{t("change.gone", { count: gone.length, names: gone.map((one) => one.name).join(", ") })}</Note>}
        {renamed.length > 0 && (uses.data?.length ?? 0) > 0 && (
          <Note tone="wait">{t("change.renamed", { count: renamed.length, names: renamed.map((one) => one.name).join(", "), workflows: uses.data?.map((one) => one.name).join(", ") })}</Note>
        )}
        {change.isError && <ErrorCard title={t("change.failed")} error={change.error} />}
        <div className={css.foot}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={change.isPending} disabled={incomplete}>
            {t("common:action.save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
