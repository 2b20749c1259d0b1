import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { FileUp } from "lucide-react";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { keyForEach, newIdempotencyKey } from "../../api/client";
import { uploadFile } from "../../api/files";
import { useWorkspace } from "../../api/session";
import { type DataTable, type IfThere, type Imported, importRows, matchFile, refreshTables } from "../../api/tables";
import { Button, Dialog, ErrorCard, Note, RadioGroup, SelectField, SkeletonRows, useFormatter } from "../../ui";
import css from "./tables.module.css";
import { inputText } from "./words";

interface Props {
  table: DataTable;
  /** A file that was chosen before. */
  given: string | null;
  onClose: () => void;
}

/** Takes in the rows of a file: which of its columns belong where, what becomes of rows that are there, and what came of it. */
export function ImportDialog({ table, given, onClose }: Props) {
  const { t } = useTranslation(["tables", "common"]);
  const workspace = useWorkspace().id;
  const [file, setFile] = useState<string | null>(given);
  const [done, setDone] = useState<Imported | null>(null);
  const [sent, setSent] = useState<number | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const upload = useMutation({
    mutationFn: (chosen: File) =>
      uploadFile(workspace, chosen, {
        idempotencyKey: newIdempotencyKey(),
        signal: new AbortController().signal,
        onProgress: (bytes) => setSent(chosen.size > 0 ? Math.round((bytes / chosen.size) * 100) : null),
      }),
    onSuccess: (stored) => setFile(stored.id),
  });
  return (
    <Dialog opened onClose={onClose} title={t("import.title", { name: table.name })} size={620}>
      {done ? (
        <Result done={done} onClose={onClose} />
      ) : file ? (
        <Matching table={table} file={file} onClose={onClose} onDone={setDone} />
      ) : (
        <div className={css.form}>
          <p>{t("import.text")}</p>
          <input
            ref={input}
            type="file"
            hidden
            accept=".csv,.xlsx,text/csv"
            data-testid="import-file"
            onChange={(event) => {
              const chosen = event.currentTarget.files?.[0];
              event.currentTarget.value = "";
              if (chosen) upload.mutate(chosen);
            }}
          />
          {upload.isError && <ErrorCard title={t("import.uploadFailed")} error={upload.error} />}
          <div className={css.foot}>
            <Button onClick={onClose}>{t("common:action.cancel")}</Button>
            <Button variant="primary" icon={<FileUp size={16} aria-hidden />} busy={upload.isPending} data-autofocus onClick={() => input.current?.click()}>
              {upload.isPending && sent !== null ? t("import.sending", { percent: sent }) : t("import.choose")}
            </Button>
          </div>
        </div>
      )}
    </Dialog>
  );
}

function Matching({ table, file, onClose, onDone }: { table: DataTable; file: string; onClose: () => void; onDone: (done: Imported) => void }) {
  const { t } = useTranslation(["tables", "common"]);
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const [chosen, setChosen] = useState<Record<string, string>>({});
  const [ifThere, setIfThere] = useState<IfThere>("change");
  const [keyFor] = useState(keyForEach);
  const found = useQuery({ queryKey: [workspace, "table-match", table.id, table.revision, file], queryFn: () => matchFile(workspace, table.id, file), staleTime: Infinity });
  const columns = found.data ?? [];
  const matched = Object.fromEntries(columns.flatMap((one) => ((chosen[one.name] ?? one.column ?? "") ? [[one.name, chosen[one.name] ?? one.column ?? ""]] : [])));
  const targets = Object.values(matched);
  const missing = table.columns.filter((one) => one.key && !targets.includes(one.name));
  const twice = table.columns.find((one) => targets.filter((target) => target === one.name).length > 1);
  const hasKey = table.columns.some((one) => one.key);
  const take = useMutation({
    mutationFn: () => {
      const body = { file, columns: matched, if_there: ifThere };
      return importRows(workspace, table.id, body, keyFor(body));
    },
    onSuccess: async (done) => {
      onDone(done);
      await refreshTables(client, workspace, table.id);
    },
    onError: () => refreshTables(client, workspace, table.id),
  });
  const ready = targets.length > 0 && missing.length === 0 && !twice;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (ready && !take.isPending) take.mutate();
  };
  if (found.isPending) return <SkeletonRows rows={4} height={24} label={t("import.looking")} />;
  if (found.isError) return <ErrorCard title={t("import.unreadable")} error={found.error} onRetry={() => void found.refetch()} />;
  return (
    <form onSubmit={submit} className={css.form}>
      <p>{t("import.match")}</p>
      <div className={css.match}>
        {columns.map((one) => (
          <SelectField
            key={one.name}
            label={one.name}
            aside={one.samples.map(inputText).join(" · ").slice(0, 40)}
            value={chosen[one.name] ?? one.column ?? ""}
            options={[{ value: "", label: t("import.leaveOut") }, ...table.columns.map((column) => ({ value: column.name, label: column.name }))]}
            onChange={(value) => setChosen((before) => ({ ...before, [one.name]: value }))}
          />
        ))}
      </div>
      {hasKey && (
        <RadioGroup
          legend={t("import.ifThere")}
          name="if-there"
          value={ifThere}
          choices={(["change", "keep", "fail"] as const).map((value) => ({ value, label: t(`import.there.${value}`) }))}
          onChange={(value) => setIfThere(value as IfThere)}
        />
      )}
      {missing.length > 0 && <Note tone="wait">{t("import.keyMissing", { count: missing.length, names: missing.map((one) => one.name).join(", ") })}</Note>}
      {twice && <Note tone="wait">{t("import.twice", { name: twice.name })}</Note>}
      {take.isError && <ErrorCard title={t("import.failed")} error={take.error} />}
      <div className={css.foot}>
        <Button onClick={onClose}>{t("common:action.cancel")}</Button>
        <Button type="submit" variant="primary" busy={take.isPending} disabled={!ready}>
          {t("import.take")}
        </Button>
      </div>
    </form>
  );
}

function Result({ done, onClose }: { done: Imported; onClose: () => void }) {
  const { t } = useTranslation(["tables", "common"]);
  const format = useFormatter();
  const more = done.refused - done.reasons.length;
  return (
    <div className={css.form}>
      <dl className={css.counts} role="status">
        {(["added", "changed", "unchanged", "refused"] as const).map((name) => (
          <div key={name} data-bad={(name === "refused" && done.refused > 0) || undefined}>
            <dt>{t(`import.result.${name}`)}</dt>
            <dd className="tn">{format.number(done[name])}</dd>
          </div>
        ))}
      </dl>
      {done.reasons.length > 0 && (
        <div className={css.reasons} tabIndex={0} role="region" aria-label={t("import.refusedTitle")}>
          <b>{t("import.refusedTitle")}</b>
          <ul>
            {done.reasons.map((one) => (
              <li key={one.row}>
                {t("import.row", { number: format.number(one.row) })}: {one.reason}
              </li>
            ))}
          </ul>
          {more > 0 && <p>{t("import.moreRefused", { count: more, number: format.number(more) })}</p>}
        </div>
      )}
      <div className={css.foot}>
        <Button variant="primary" data-autofocus onClick={onClose}>
          {t("common:action.close")}
        </Button>
      </div>
    </div>
  );
}
