import { ExternalLink, Table2 } from "lucide-react";
import { useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { type DataTable, useTable, useTables } from "../../api/tables";
import { Button, cx, useFormatter } from "../../ui";
import css from "../inspector.module.css";
import rules from "../rules.module.css";
import type { WidgetProps } from "../Widget";
import { textOf } from "./basic";
import { Searched } from "./Searched";
import own from "./workflow.module.css";

/** Chooses one of the workspace's data tables. */
export default function TablePicker({ id, field, value, onChange, invalid, describedBy, readOnly }: WidgetProps) {
  const { t } = useTranslation("inspector");
  const current = textOf(value);
  const [opened, setOpened] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const list = useId();
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
        aria-label={field.title}
        aria-expanded={opened}
        aria-controls={opened ? list : undefined}
        aria-describedby={describedBy}
        onClick={() => setOpened(!opened)}
      >
        {current ? <Named id={current} /> : <i>{t("table.choose")}</i>}
      </button>
      {opened && (
        <Choices
          id={list}
          label={field.title}
          onPick={(table) => {
            onChange(table.id);
            close();
          }}
          onClose={close}
        />
      )}
      <a className={rules.createLink} href={current ? `/tables/${current}` : "/tables"} target="_blank" rel="noreferrer">
        {current ? t("table.open") : t("table.all")} <ExternalLink size={12} aria-hidden />
      </a>
    </div>
  );
}

function Named({ id }: { id: string }) {
  const { t } = useTranslation("inspector");
  const table = useTable(id);
  return (
    <span className={own.name}>
      <Table2 size={15} aria-hidden />
      <span>{table.data?.name ?? (table.isError ? t("table.gone") : "…")}</span>
    </span>
  );
}

function Choices({ id, label, onPick, onClose }: { id: string; label: string; onPick(table: DataTable): void; onClose(): void }) {
  const { t } = useTranslation("inspector");
  const format = useFormatter();
  const [typed, setTyped] = useState("");
  const found = useTables();
  const query = typed.trim().toLowerCase();
  const rows = (found.data ?? []).filter((one) => one.name.toLowerCase().includes(query));
  return (
    <Searched id={id} label={label} placeholder={t("table.search")} typed={typed} onType={setTyped} onEnter={() => rows[0] && onPick(rows[0])} onClose={onClose}>
      <ul>
        {rows.map((row) => (
          <li key={row.id}>
            <button type="button" onClick={() => onPick(row)}>
              <b>{row.name}</b>
              <small>
                {t("table.rows", { count: row.rows, number: format.number(row.rows) })} · {row.columns.map((column) => column.name).join(", ")}
              </small>
            </button>
          </li>
        ))}
      </ul>
      {found.isError && (
        <p>
          {t("table.failed")} <Button size="sm" onClick={() => void found.refetch()}>{t("workflow.again")}</Button>
        </p>
      )}
      {found.data && rows.length === 0 && <p>{query ? t("flyout.none", { query: typed }) : t("table.none")}</p>}
    </Searched>
  );
}
