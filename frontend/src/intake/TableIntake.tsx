import { FileSpreadsheet, RefreshCw, Upload } from "lucide-react";
import { type DragEvent, useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import type { StoredFile } from "../api/files";
import type { Json } from "../graph";
import type { InputField } from "../inspector/inputFields";
import { FileChoices } from "../inspector/widgets/FilePicker";
import { Button, useFormatter } from "../ui";
import { addUploads, dropUploadsOf, takeStored } from "../uploads/store";
import { UploadLines } from "../uploads/UploadLine";
import { useUploads } from "../uploads/useUploads";
import { useWorkspace } from "../api/session";
import { type Missing } from "./intake";
import css from "./intake.module.css";
import { Understood } from "./Understood";

export interface TableIntakeProps {
  workflow: string;
  /** Under which the upload is kept while somebody looks at another page. */
  owner: string;
  field: InputField;
  /** Hears what the start is given for the question, null as long as something is missing. */
  onReady(value: Json, missing: Missing): void;
  error?: string | undefined;
}

/** Asks for a file with rows: takes it, shows what was understood of it, and what does not fit. */
export default function TableIntake({ workflow, owner, field, onReady, error }: TableIntakeProps) {
  const { t } = useTranslation(["intake", "files"]);
  const { queue } = useUploads(owner);
  const upload = queue.at(-1);
  const file = upload?.stored ?? null;
  const hear = useRef(onReady);
  useEffect(() => {
    hear.current = onReady;
  });
  useEffect(() => {
    if (!file) hear.current(null, upload ? "upload" : "file");
  }, [file, upload]);
  return (
    <section className={css.intake} aria-label={field.label} data-testid={`intake-${field.name}`}>
      <header className={css.head}>
        <h3>{field.label}</h3>
        {field.required && <i>{t("required")}</i>}
        {field.help && <p>{field.help}</p>}
      </header>
      {error && (
        <p className={css.wrong} role="alert">
          {error}
        </p>
      )}
      {file ? (
        <>
          <Chosen file={file} owner={owner} />
          <Understood key={file.id} workflow={workflow} field={field} file={file} onReady={(value, missing) => hear.current(value, missing)} />
        </>
      ) : upload ? (
        <UploadLines queue={[upload]} label={t("files:uploads")} />
      ) : (
        <DropBox owner={owner} field={field} />
      )}
    </section>
  );
}

function DropBox({ owner, field }: { owner: string; field: InputField }) {
  const { t } = useTranslation("intake");
  const workspace = useWorkspace().id;
  const [over, setOver] = useState(false);
  const [picking, setPicking] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const hint = useId();
  const list = useId();
  const take = (files: readonly File[]): void => {
    const [first] = files;
    if (!first) return;
    dropUploadsOf(owner);
    addUploads(workspace, [first], owner);
  };
  const hover = (event: DragEvent, on: boolean): void => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    setOver(on);
  };
  return (
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- files are dropped here; the button is the other way
    <div
      className={css.drop}
      data-over={over || undefined}
      onDragEnter={(event) => hover(event, true)}
      onDragOver={(event) => hover(event, true)}
      onDragLeave={(event) => hover(event, event.currentTarget.contains(event.relatedTarget as Node | null))}
      onDrop={(event) => {
        hover(event, false);
        take([...event.dataTransfer.files]);
      }}
    >
      <Upload size={24} aria-hidden />
      <b>{t("drop.title")}</b>
      <p id={hint}>{t("drop.hint", { columns: field.columns.map((column) => column.label).join(", ") })}</p>
      <div className={css.ways}>
        <Chooser label={t("drop.choose")} describedBy={hint} onFile={(file) => take([file])} primary />
        <Button ref={opener} variant="link" aria-expanded={picking} aria-controls={picking ? list : undefined} onClick={() => setPicking(!picking)}>
          {t("drop.here")}
        </Button>
      </div>
      {picking && (
        <div className={css.here}>
          <FileChoices
            id={list}
            label={t("drop.here")}
            onPick={(file) => {
              dropUploadsOf(owner);
              takeStored(workspace, file, owner);
            }}
            onClose={() => {
              setPicking(false);
              opener.current?.focus();
            }}
          />
        </div>
      )}
    </div>
  );
}

function Chosen({ file, owner }: { file: StoredFile; owner: string }) {
  const { t } = useTranslation("intake");
  const format = useFormatter();
  const workspace = useWorkspace().id;
  return (
    <div className={css.file}>
      <FileSpreadsheet size={20} aria-hidden />
      <span>
        <b>{file.name}</b>
        <small>{format.bytes(file.size)}</small>
      </span>
      <Chooser
        label={t("another")}
        onFile={(next) => {
          dropUploadsOf(owner);
          addUploads(workspace, [next], owner);
        }}
      />
    </div>
  );
}

function Chooser({ label, onFile, primary, describedBy }: { label: string; onFile(file: File): void; primary?: boolean; describedBy?: string }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        accept=".csv,.tsv,.txt,.xlsx,text/csv,text/plain"
        hidden
        data-testid="intake-input"
        onChange={(event) => {
          const [file] = event.currentTarget.files ?? [];
          if (file) onFile(file);
          // The same file may be chosen again.
          event.currentTarget.value = "";
        }}
      />
      <Button
        size={primary ? "md" : "sm"}
        variant={primary ? "primary" : "default"}
        icon={primary ? <Upload size={16} aria-hidden /> : <RefreshCw size={14} aria-hidden />}
        aria-describedby={describedBy}
        onClick={() => input.current?.click()}
      >
        {label}
      </Button>
    </>
  );
}
