import { FileText } from "lucide-react";
import { useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { type StoredFile, useFiles } from "../../api/files";
import { isJsonObject, type Json } from "../../graph";
import { Button, cx, Time, useFormatter } from "../../ui";
import css from "../inspector.module.css";
import rules from "../rules.module.css";
import type { WidgetProps } from "../Widget";
import { Searched, useSearch } from "./Searched";
import own from "./workflow.module.css";

/** Chooses one of the workspace's files; what is kept is the reference that data has, too. */
export default function FilePicker({ id, field, value, onChange, invalid, describedBy, readOnly }: WidgetProps) {
  const { t } = useTranslation("inspector");
  const [opened, setOpened] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const list = useId();
  const name = nameOf(value);
  const close = (): void => {
    setOpened(false);
    opener.current?.focus();
  };
  return (
    <div className={rules.connection}>
      <button
        ref={opener}
        type="button"
        id={id}
        className={cx(css.input, css.select, own.chosen, invalid && own.invalid)}
        disabled={readOnly}
        aria-label={`${field.title}: ${name ?? t("file.choose")}`}
        aria-expanded={opened}
        aria-controls={opened ? list : undefined}
        aria-describedby={describedBy}
        onClick={() => setOpened(!opened)}
      >
        {name === null ? (
          <i>{t("file.choose")}</i>
        ) : (
          <span className={own.name}>
            <FileText size={15} aria-hidden />
            <span>{name}</span>
          </span>
        )}
      </button>
      {opened && (
        <FileChoices
          id={list}
          label={field.title}
          onPick={(file) => {
            onChange(referenceTo(file));
            close();
          }}
          onClose={close}
        />
      )}
    </div>
  );
}

function nameOf(value: Json | undefined): string | null {
  return isJsonObject(value) && typeof value["name"] === "string" ? value["name"] : null;
}

/** As it stands in data. In a setting, two braces in the name would begin a formula. */
export function referenceTo({ id, name, mime, size, sha256 }: StoredFile): Json {
  return { id, name: name.replaceAll("{{", "{ {"), mime, size, sha256 };
}

/** The files of the workspace, to be searched and one of them chosen. */
export function FileChoices({ id, label, onPick, onClose }: { id: string; label: string; onPick(file: StoredFile): void; onClose(): void }) {
  const { t } = useTranslation("inspector");
  const format = useFormatter();
  const { typed, setTyped, q } = useSearch();
  const found = useFiles(q, false, 50);
  const rows = found.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Searched
      id={id}
      label={label}
      placeholder={t("file.search")}
      typed={typed}
      onType={setTyped}
      onEnter={() => rows[0] && onPick(rows[0])}
      onClose={onClose}
    >
      <ul>
        {rows.map((row) => (
          <li key={row.id}>
            <button type="button" onClick={() => onPick(row)}>
              <b>{row.name}</b>
              <small>
                {format.bytes(row.size)} · <Time at={row.created_at} />
              </small>
            </button>
          </li>
        ))}
      </ul>
      {found.hasNextPage && <p>{t("file.more")}</p>}
      {found.isError && (
        <p>
          {t("file.failed")} <Button size="sm" onClick={() => void found.refetch()}>{t("workflow.again")}</Button>
        </p>
      )}
      {found.data && rows.length === 0 && <p>{q ? t("flyout.none", { query: q }) : t("file.none")}</p>}
    </Searched>
  );
}
