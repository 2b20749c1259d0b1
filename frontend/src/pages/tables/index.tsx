import { Link, useNavigate } from "@tanstack/react-router";
import { KeyRound, Plus, Table2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useCan } from "../../api/session";
import { type DataTable, useTables } from "../../api/tables";
import { Button, cx, EmptyState, ErrorCard, numClass, PageBody, SearchBox, SkeletonRows, tableBoxClass, tableCardsClass, tableClass, Time, TopBar, useFormatter } from "../../ui";
import { useShortcut } from "../../ui/shortcuts";
import { NewTableDialog } from "./NewTableDialog";
import css from "./tables.module.css";

/** While the page is seen, the list is asked for again so often: runs fill tables, too. */
const EVERY = 10_000;
/** So many are told apart at a glance. */
const FEW = 8;

export default function TablesPage() {
  const { t } = useTranslation(["tables", "common"]);
  const navigate = useNavigate();
  const mayMake = useCan("builder");
  const list = useTables(EVERY);
  const [making, setMaking] = useState(false);
  const [typed, setTyped] = useState("");
  const box = useRef<HTMLInputElement>(null);
  useShortcut("/", () => box.current?.focus());
  useEffect(() => {
    document.title = `${t("title")} · Millrace`;
  }, [t]);
  const all = list.data ?? [];
  const wanted = typed.trim().toLowerCase();
  const tables = all.filter((one) => one.name.toLowerCase().includes(wanted));
  const add = mayMake && (
    <Button variant="primary" icon={<Plus size={16} aria-hidden />} onClick={() => setMaking(true)}>
      {t("new.open")}
    </Button>
  );
  return (
    <>
      <TopBar title={t("title")} actions={add} />
      <PageBody>
        <div className={css.head}>
          <p className={css.lead}>{t("subtitle")}</p>
          {all.length > FEW && <SearchBox ref={box} value={typed} onChange={setTyped} label={t("search")} className={css.search} />}
        </div>
        {list.isError && <ErrorCard title={t("loadFailed")} error={list.error} onRetry={() => void list.refetch()} />}
        {list.isPending && (
          <div className={tableBoxClass}>
            <SkeletonRows rows={4} height={34} label={t("loading")} />
          </div>
        )}
        {tables.length > 0 && (
          <div className={tableBoxClass}>
            <table className={cx(tableClass, tableCardsClass, css.list)} aria-label={t("title")}>
              <thead>
                <tr>
                  <th scope="col">{t("column.name")}</th>
                  <th scope="col" className={numClass}>
                    {t("column.rows")}
                  </th>
                  <th scope="col">{t("column.columns")}</th>
                  <th scope="col">{t("column.made")}</th>
                </tr>
              </thead>
              <tbody>
                {tables.map((table) => (
                  <Line key={table.id} table={table} />
                ))}
              </tbody>
            </table>
          </div>
        )}
        {list.data && all.length === 0 && <EmptyState title={t("empty.title")} text={t("empty.text")} actions={add} />}
        {all.length > 0 && tables.length === 0 && (
          <EmptyState plain title={t("empty.none", { query: typed })} actions={<Button onClick={() => setTyped("")}>{t("common:action.clearFilters")}</Button>} />
        )}
      </PageBody>
      {making && (
        <NewTableDialog
          onClose={() => setMaking(false)}
          onMade={(table, file) => void navigate({ to: "/tables/$tableId", params: { tableId: table.id }, search: file ? { import: file } : {} })}
        />
      )}
    </>
  );
}

function Line({ table }: { table: DataTable }) {
  const { t } = useTranslation("tables");
  const format = useFormatter();
  return (
    <tr data-testid={`table-${table.id}`}>
      <td data-part="name">
        <span className={css.tableName}>
          <Table2 size={18} aria-hidden />
          <Link to="/tables/$tableId" params={{ tableId: table.id }}>
            {table.name}
          </Link>
        </span>
      </td>
      <td data-part="rows" className={cx(numClass, "tn")}>
        <span>{format.number(table.rows)}</span>
        <small data-label aria-hidden>
          {t("rowsWord", { count: table.rows })}
        </small>
      </td>
      <td data-part="columns">
        <span className={css.names}>
          {table.columns.map((column) => (
            <span key={column.id}>
              {column.key && <KeyRound size={12} aria-label={t("columns.key")} />}
              {column.name}
            </span>
          ))}
        </span>
      </td>
      <td data-part="made">
        {table.created_by ? t("by", { name: table.created_by }) : ""} <Time at={table.created_at} />
      </td>
    </tr>
  );
}
