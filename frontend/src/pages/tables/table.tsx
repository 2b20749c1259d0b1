import { Menu } from "@mantine/core";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Download, Ellipsis, FileUp, History as HistoryIcon, Pencil, Plus, Trash2 } from "lucide-react";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useCan, useWorkspace } from "../../api/session";
import { type DataTable, exportUrl, type Shown, useTable, useTableRows } from "../../api/tables";
import { Button, EmptyState, ErrorCard, IconButton, PageBody, SearchBox, SkeletonRows, tableBoxClass, TopBar, useFormatter } from "../../ui";
import { useShortcut } from "../../ui/shortcuts";
import { ChangeTableDialog } from "./ChangeTableDialog";
import { Grid } from "./Grid";
import { ImportDialog } from "./ImportDialog";
import { RemoveTableDialog } from "./RemoveTableDialog";
import css from "./tables.module.css";

const HistoryDialog = lazy(() => import("../history/HistoryDialog"));

const EVERY = 10_000;

export default function TablePage() {
  const { t } = useTranslation(["tables", "common"]);
  const { tableId } = useParams({ from: "/shell/tables/$tableId" });
  const found = useTable(tableId);
  useEffect(() => {
    document.title = `${found.data?.name ?? t("title")} · Millrace`;
  }, [t, found.data?.name]);
  if (found.data) return <Opened table={found.data} />;
  return (
    <>
      <TopBar showWay crumbs={<Up />} title={t("title")} />
      <PageBody>
        {found.isError ? (
          <ErrorCard title={t("openFailed")} error={found.error} onRetry={() => void found.refetch()} />
        ) : (
          <div className={tableBoxClass}>
            <SkeletonRows rows={6} height={30} label={t("loading")} />
          </div>
        )}
      </PageBody>
    </>
  );
}

function Up() {
  const { t } = useTranslation("tables");
  return (
    <>
      <Link to="/tables">{t("title")}</Link>
      <span aria-hidden>›</span>
    </>
  );
}

type Asked = "history" | "import" | "change" | "remove" | null;

function Opened({ table }: { table: DataTable }) {
  const { t } = useTranslation(["tables", "common"]);
  const { import: given } = useSearch({ from: "/shell/tables/$tableId" });
  const navigate = useNavigate({ from: "/tables/$tableId" });
  const format = useFormatter();
  const mayFill = useCan("reviewer");
  const mayEdit = useCan("builder");
  const [asked, setAsked] = useState<Asked>(given ? "import" : null);
  const [typed, setTyped] = useState("");
  // The newest first: what was just added is seen.
  const [shown, setShown] = useState<Shown>({ search: "", sort: "", descending: true });
  const [adding, setAdding] = useState(false);
  const rows = useTableRows(table.id, shown, adding ? false : EVERY);
  const items = rows.data?.pages.flatMap((page) => page.items) ?? [];
  const count = rows.data?.pages[0]?.count;
  const box = useRef<HTMLInputElement>(null);
  useShortcut("/", () => box.current?.focus());
  useEffect(() => {
    const timer = setTimeout(() => setShown((before) => (before.search === typed.trim() ? before : { ...before, search: typed.trim() })), 200);
    return () => clearTimeout(timer);
  }, [typed]);
  const close = (): void => {
    setAsked(null);
    if (given) void navigate({ search: {}, replace: true });
  };
  const all = format.number(table.rows);
  const isEmpty = rows.data !== undefined && items.length === 0;
  const add = mayFill && (
    <Button variant="primary" icon={<Plus size={16} aria-hidden />} onClick={() => setAdding(true)}>
      {t("row.add")}
    </Button>
  );
  return (
    <>
      <TopBar
        showWay
        crumbs={<Up />}
        title={table.name}
        actions={
          <>
            {add}
            <More table={table} shown={shown} mayFill={mayFill} mayEdit={mayEdit} onAsk={setAsked} />
          </>
        }
      />
      <PageBody className={css.wide ?? ""}>
        <div className={css.head}>
          <p className={css.count} role="status">
            {shown.search !== "" && count !== null && count !== undefined
              ? t("found", { count: table.rows, found: format.number(count), number: all })
              : t("rows", { count: table.rows, number: all })}
          </p>
          <SearchBox ref={box} value={typed} onChange={setTyped} label={t("searchRows")} className={css.search} />
        </div>
        {rows.isError && <ErrorCard title={t("rowsFailed")} error={rows.error} onRetry={() => void rows.refetch()} />}
        {rows.isPending && (
          <div className={tableBoxClass}>
            <SkeletonRows rows={6} height={30} label={t("loading")} />
          </div>
        )}
        {(items.length > 0 || adding) && (
          <Grid
            table={table}
            rows={items}
            shown={shown}
            mayFill={mayFill}
            adding={adding}
            onAdding={setAdding}
            onSort={(sort, descending) => setShown((before) => ({ ...before, sort, descending }))}
            more={
              rows.hasNextPage && (
                <Button busy={rows.isFetchingNextPage} onClick={() => void rows.fetchNextPage()}>
                  {t("more")}
                </Button>
              )
            }
          />
        )}
        {isEmpty && !adding && shown.search === "" && (
          <EmptyState
            title={t("noRows.title")}
            text={mayFill ? t("noRows.text") : t("noRows.textReader")}
            actions={
              mayFill && (
                <>
                  {add}
                  <Button icon={<FileUp size={16} aria-hidden />} onClick={() => setAsked("import")}>
                    {t("import.open")}
                  </Button>
                </>
              )
            }
          />
        )}
        {isEmpty && shown.search !== "" && (
          <EmptyState plain title={t("noRows.none", { query: shown.search })} actions={<Button onClick={() => setTyped("")}>{t("common:action.clearFilters")}</Button>} />
        )}
      </PageBody>
      {asked === "import" && <ImportDialog table={table} given={given ?? null} onClose={close} />}
      {asked === "history" && (
        <Suspense>
          <HistoryDialog what="tables" id={table.id} name={table.name} onClose={close} />
        </Suspense>
      )}
      {asked === "change" && <ChangeTableDialog table={table} onClose={close} />}
      {asked === "remove" && <RemoveTableDialog table={table} onClose={close} onRemoved={() => void navigate({ to: "/tables" })} />}
    </>
  );
}

function More(props: { table: DataTable; shown: Shown; mayFill: boolean; mayEdit: boolean; onAsk: (what: Asked) => void }) {
  const { t } = useTranslation(["tables", "common", "audit"]);
  const workspace = useWorkspace().id;
  const { table, shown, mayFill, mayEdit, onAsk } = props;
  return (
    <Menu position="bottom-end" width={260} withinPortal radius={10}>
      <Menu.Target>
        <IconButton variant="default" label={t("common:action.more")} icon={<Ellipsis size={16} />} />
      </Menu.Target>
      <Menu.Dropdown>
        {mayFill && (
          <Menu.Item leftSection={<FileUp size={15} aria-hidden />} onClick={() => onAsk("import")}>
            {t("import.open")}
          </Menu.Item>
        )}
        <Menu.Label>{t("export.title")}</Menu.Label>
        {(["xlsx", "csv", "csv_comma"] as const).map((one) => (
          <Menu.Item key={one} component="a" href={exportUrl(workspace, table.id, one, shown)} download leftSection={<Download size={15} aria-hidden />}>
            {t(`export.${one}`)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<HistoryIcon size={15} aria-hidden />} onClick={() => onAsk("history")}>
          {t("audit:history.title")}
        </Menu.Item>
        {mayEdit && (
          <>
            <Menu.Item leftSection={<Pencil size={15} aria-hidden />} onClick={() => onAsk("change")}>
              {t("change.open")}
            </Menu.Item>
            <Menu.Item color="var(--err)" leftSection={<Trash2 size={15} aria-hidden />} onClick={() => onAsk("remove")}>
              {t("remove.open")}
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

