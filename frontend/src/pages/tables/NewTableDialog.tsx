import { useMutation, useQueryClient } from "@tanstack/react-query";
import { FileUp } from "lucide-react";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { keyForEach, newIdempotencyKey } from "../../api/client";
import { uploadFile } from "../../api/files";
import { useWorkspace } from "../../api/session";
import { type ColumnDraft, columnsLikeFile, type DataTable, makeTable, refreshTables } from "../../api/tables";
import { Button, Dialog, ErrorCard, Note, TextField } from "../../ui";
import { Columns } from "./Columns";
import css from "./tables.module.css";
import { columnProblems } from "./words";

const FIRST: readonly ColumnDraft[] = [{ name: "", type: "text", required: false, key: true }];

/** A new table: its columns are named, or taken over from a file whose rows it then gets. */
export function NewTableDialog({ onClose, onMade }: { onClose: () => void; onMade: (table: DataTable, file: string | null) => void }) {
  const { t } = useTranslation(["tables", "common"]);
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [columns, setColumns] = useState<readonly ColumnDraft[]>(FIRST);
  const [file, setFile] = useState<{ id: string; name: string } | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const [keyFor] = useState(keyForEach);
  const look = useMutation({
    mutationFn: async (chosen: File) => {
      const stored = await uploadFile(workspace, chosen, { idempotencyKey: newIdempotencyKey(), signal: new AbortController().signal, onProgress: () => undefined });
      return { stored, found: await columnsLikeFile(workspace, stored.id) };
    },
    onSuccess: ({ stored, found }, chosen) => {
      setFile({ id: stored.id, name: stored.name });
      setColumns(found.map((one) => ({ name: one.name, type: one.type, required: false, key: false })));
      if (name.trim() === "") setName(chosen.name.replace(/\.[^.]*$/, "").slice(0, 100));
    },
  });
  const make = useMutation({
    mutationFn: () => {
      const body = { name: name.trim(), columns };
      return makeTable(workspace, body, keyFor(body));
    },
    onSuccess: async (table) => {
      await refreshTables(client, workspace);
      onMade(table, file?.id ?? null);
    },
  });
  const incomplete = name.trim() === "" || columnProblems(columns).size > 0;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!incomplete) make.mutate();
  };
  return (
    <Dialog opened onClose={onClose} title={t("new.title")} size={760}>
      <form onSubmit={submit} className={css.form}>
        <TextField label={t("new.name")} value={name} maxLength={100} placeholder={t("new.placeholder")} data-autofocus onChange={(event) => setName(event.currentTarget.value)} />
        <div className={css.fromFile}>
          <input
            ref={input}
            type="file"
            hidden
            accept=".csv,.xlsx,text/csv"
            data-testid="columns-file"
            onChange={(event) => {
              const chosen = event.currentTarget.files?.[0];
              event.currentTarget.value = "";
              if (chosen) look.mutate(chosen);
            }}
          />
          <Button size="sm" icon={<FileUp size={14} aria-hidden />} busy={look.isPending} onClick={() => input.current?.click()}>
            {t("new.fromFile")}
          </Button>
          <small>{file ? t("new.likeFile", { name: file.name }) : t("new.fromFileHint")}</small>
        </div>
        {look.isError && <ErrorCard title={t("new.fileFailed")} error={look.error} />}
        <Columns columns={columns} onChange={setColumns} />
        {file && <Note>{t("new.importAfter", { name: file.name })}</Note>}
        {make.isError && <ErrorCard title={t("new.failed")} error={make.error} />}
        <div className={css.foot}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={make.isPending} disabled={incomplete}>
            {t("new.make")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
