import { Link, useNavigate } from "@tanstack/react-router";
import { ArrowDown, ArrowUp, FlaskConical } from "lucide-react";
import { type MouseEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import type { BulkKind, ChosenRuns, SearchField } from "../../api/runSearch";
import type { Run, RunField } from "../../api/types";
import { failureTitle } from "../../i18n/server";
import { Chip, cx, Duration, numClass, runStatusKind, StatusChip, tableCardsClass, tableClass, Time, useFormatter } from "../../ui";
import { amountText } from "../inbox/task";
import { BulkDialog } from "./BulkDialog";
import { fieldOf, saidBeside, sortsOf } from "./columns";
import { RowDeeds } from "./RowDeeds";
import { RowTags } from "./RowTags";
import css from "./runs.module.css";
import { useWaitingText } from "./waiting";
import type { RunListSearch } from "./search";
import { runStatusName, runSubtitle, runTitle, startedBy } from "./words";

export interface RunTableProps {
  runs: readonly Run[];
  columns: readonly string[];
  fields: readonly SearchField[];
  usual: Readonly<Record<string, number>>;
  withWorkflow: boolean;
  sort: string;
  onSort: (sort: string) => void;
  /** Which are chosen; null where nobody may choose. */
  chosen: ReadonlySet<string> | null;
  onChoose: (ids: readonly string[], on: boolean) => void;
  /** What a run that is opened from here carries along of this list. */
  carried: { list?: RunListSearch };
}

const NUMBERS = new Set(["number", "amount"]);

export function RunTable(props: RunTableProps) {
  const { t } = useTranslation("runs");
  const last = useRef<string | null>(null);
  const [asking, setAsking] = useState<{ kind: BulkKind; chosen: ChosenRuns } | null>(null);
  const ask = (kind: BulkKind, run: Run) => setAsking({ kind, chosen: { runs: [run.id] } });
  const { runs, chosen } = props;
  const all = runs.length > 0 && chosen !== null && runs.every((run) => chosen.has(run.id));
  const choose = (run: Run, on: boolean, withShift: boolean): void => {
    const from = withShift ? runs.findIndex((one) => one.id === last.current) : -1;
    const to = runs.findIndex((one) => one.id === run.id);
    const range = from < 0 ? [run] : runs.slice(Math.min(from, to), Math.max(from, to) + 1);
    last.current = run.id;
    props.onChoose(range.map((one) => one.id), on);
  };
  return (
    <>
    <table className={cx(tableClass, tableCardsClass, css.table)} data-choosing={chosen !== null || undefined}>
      <thead>
        <tr>
          {chosen !== null && (
            <th scope="col" className={css.tick}>
              <input type="checkbox" aria-label={t("select.all")} checked={all} onChange={(event) => props.onChoose(runs.map((run) => run.id), event.currentTarget.checked)} />
            </th>
          )}
          {props.columns.map((column) => (
            <Head key={column} column={column} fields={props.fields} sort={props.sort} onSort={props.onSort} />
          ))}
          <th scope="col" className={css.deedsHead}>
            <span className="srOnly">{t("row.deeds")}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <Row key={run.id} run={run} on={chosen?.has(run.id) ?? false} onChoose={choose} onAsk={ask} table={props} />
        ))}
      </tbody>
    </table>
    {asking && <BulkDialog kind={asking.kind} chosen={asking.chosen} onClose={() => setAsking(null)} onStarted={() => setAsking(null)} />}
    </>
  );
}

function Head({ column, fields, sort, onSort }: { column: string; fields: readonly SearchField[]; sort: string; onSort: (sort: string) => void }) {
  const { t } = useTranslation("runs");
  const name = fieldOf(column);
  const field = fields.find((one) => one.name === name);
  const label = name === null ? t(`column.${column}`) : (field?.label ?? name);
  const sorts = sortsOf(column, fields);
  const isNumber = column === "duration" || (field !== undefined && NUMBERS.has(field.kind));
  const at = sorts?.indexOf(sort) ?? -1;
  return (
    <th scope="col" className={isNumber ? numClass : undefined} aria-sort={at < 0 ? undefined : at === 0 ? "descending" : "ascending"}>
      {sorts ? (
        <button type="button" className={css.sort} onClick={() => onSort(at === 0 ? sorts[1] : sorts[0])}>
          {label}
          {at === 0 && <ArrowDown size={12} aria-hidden />}
          {at === 1 && <ArrowUp size={12} aria-hidden />}
        </button>
      ) : (
        label
      )}
    </th>
  );
}

interface RowProps {
  run: Run;
  on: boolean;
  onChoose: (run: Run, on: boolean, withShift: boolean) => void;
  onAsk: (kind: BulkKind, run: Run) => void;
  table: RunTableProps;
}

function Row({ run, on, onChoose, onAsk, table }: RowProps) {
  const { t } = useTranslation("runs");
  const navigate = useNavigate();
  return (
    <tr
      data-testid={`run-${run.id}`}
      data-on={on || undefined}
      onClick={(event: MouseEvent) => {
        // The whole row is a target for the mouse; the link inside is the one for keyboards and for new tabs.
        if (event.defaultPrevented || event.metaKey || event.ctrlKey || window.getSelection()?.toString()) return;
        void navigate({ to: "/runs/$runId", params: { runId: run.id }, search: table.carried });
      }}
    >
      {table.chosen !== null && (
        <td className={css.tick} data-cell="tick" onClick={(event) => event.stopPropagation()}>
          <input type="checkbox" aria-label={t("select.one", { run: runTitle(run) })} checked={on} onChange={() => undefined} onClick={(event) => onChoose(run, !on, event.shiftKey)} />
        </td>
      )}
      {table.columns.map((column) => (
        <Cell key={column} column={column} run={run} table={table} />
      ))}
      <RowDeeds run={run} carried={table.carried} mayAct={table.chosen !== null} onAsk={onAsk} />
    </tr>
  );
}

function Cell({ column, run, table }: { column: string; run: Run; table: RunTableProps }) {
  const { t } = useTranslation("runs");
  const waitingText = useWaitingText();
  const name = fieldOf(column);
  if (name !== null) {
    const field = run.fields.find((one) => one.name === name);
    return (
      <td data-cell="field" className={field && NUMBERS.has(field.kind) ? numClass : undefined}>
        {field && <FieldValue field={field} />}
      </td>
    );
  }
  switch (column) {
    case "status":
      return (
        <td data-cell="status">
          <StatusChip kind={runStatusKind(run)} label={runStatusName(run, t)} />
        </td>
      );
    case "run": {
      const beside = saidBeside(run, table.columns);
      const where = table.columns.includes("workflow") ? null : table.withWorkflow ? runSubtitle(run, t) : t("version", { version: run.version });
      return (
        <td data-cell="key">
          <Link to="/runs/$runId" params={{ runId: run.id }} search={table.carried} className={css.key} title={runTitle(run)} onClick={(event) => event.stopPropagation()}>
            {runTitle(run)}
          </Link>
          <span className={css.sub} title={[beside, where].filter(Boolean).join(" · ") || undefined}>
            {[beside, where].filter(Boolean).join(" · ")}
            {run.business_key && <span className="mono"> · {run.short_id}</span>}
          </span>
          <RowTags tags={run.tags} />
        </td>
      );
    }
    case "workflow":
      return <td data-cell="workflow" title={runSubtitle(run, t)}>{runSubtitle(run, t)}</td>;
    case "step": {
      const words = (run.error && failureTitle(run.error)) ?? waitingText(run) ?? run.current_step?.name ?? "";
      return (
        <td data-cell="step">
          {words && (
            <span className={css.step} title={words} data-tone={run.error ? "err" : "plain"}>
              {words}
            </span>
          )}
        </td>
      );
    }
    case "started":
      return (
        <td data-cell="started">
          <Time at={run.accepted_at} />
        </td>
      );
    case "duration":
      return <Took run={run} usual={table.usual[run.workflow.id] ?? 0} />;
    default:
      return (
        <td data-cell="who">
          {run.mode === "test" ? (
            <Chip icon={<FlaskConical size={12} aria-hidden />}>{t("mode.test")}</Chip>
          ) : (
            <span style={{ color: "var(--ink2)" }}>{run.started_by_name ?? startedBy(run.started_by, t as never)}</span>
          )}
        </td>
      );
  }
}

function Took({ run, usual }: { run: Run; usual: number }) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  const share = usual > 0 && run.duration_ms !== null ? Math.min(1, run.duration_ms / (usual * 2)) : 0;
  return (
    <td className={numClass} data-cell="duration">
      {(run.started_at ?? run.finished_at) && (
        <span className={css.duration} title={usual > 0 ? t("usually", { time: format.duration(usual) }) : undefined}>
          <Duration from={run.accepted_at} until={run.finished_at} />
          <span className={css.meter} aria-hidden data-slow={share >= 1 || undefined}>
            <i style={{ width: `${Math.round(share * 100)}%` }} />
          </span>
        </span>
      )}
    </td>
  );
}

/** A value as it was given, with every digit; a day as days are written here. */
export function FieldValue({ field }: { field: RunField }) {
  const format = useFormatter();
  if (field.kind === "date" && /^\d{4}-\d{2}-\d{2}$/.test(field.text)) {
    return <time dateTime={field.text}>{format.day(`${field.text}T12:00:00Z`)}</time>;
  }
  if (field.kind === "amount") return <span className={css.amount}>{amountText(field.text, field.currency ?? "", format)}</span>;
  if (field.kind === "number") {
    return (
      <span className={css.amount}>
        {format.digits(field.text)}
      </span>
    );
  }
  return (
    <span className={css.text} title={field.text}>
      {field.text}
    </span>
  );
}
