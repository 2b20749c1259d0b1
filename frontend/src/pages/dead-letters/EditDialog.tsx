import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { startBulkRetry } from "../../api/bulkRetries";
import { ApiError, api } from "../../api/client";
import { refreshDeadLetters, useNodeTypes, workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { Page } from "../../api/types";
import { parseExact } from "../../graph/exact";
import { fixedText, retell } from "../../i18n/server";
import { Button, Dialog, EmptyState, ErrorCard, Note, SkeletonRows, TextField, useFormatter } from "../../ui";
import { BulkRetryProgress } from "./BulkRetryProgress";
import css from "./editGrid.module.css";
import { EditGrid } from "./EditGrid";
import { changesOf, columnsOf, type GridRow, MOST_EDITED, sentencesByRun, type Typed } from "./grid";
import type { Target } from "./target";

const PAGE = 50;
/** So many fail again before the rest is left as it is; a minute as in a plain retry. */
const STOP_AFTER = 5;
const PER_MINUTE = 300;

/** The group's newest runs, or those that were chosen, with what their failed step was given. */
function useRows(target: Target) {
  const workspace = useWorkspace().id;
  const chosen = target.letters?.map((one) => one.run.id);
  return useQuery({
    queryKey: [workspace, "dead-letter-edits", target.group.cause, chosen, target.sent],
    queryFn: async ({ signal }) => {
      const wanted = chosen && new Set(chosen);
      const rows: GridRow[] = [];
      let cursor: string | null = null;
      do {
        const path = `${workspacePath(workspace)}/dead-letters/${target.group.cause}/edits`;
        const page: Page<GridRow> = await api.get<Page<GridRow>>(path, { query: { limit: PAGE, cursor, sent: target.sent }, signal, parse: parseExact });
        rows.push(...page.items.filter((row) => !wanted || wanted.has(row.run.id)));
        cursor = page.next_cursor;
      } while (cursor !== null && rows.length < Math.min(MOST_EDITED, wanted?.size ?? MOST_EDITED));
      return rows.slice(0, MOST_EDITED);
    },
    // What is typed belongs to these rows: they are read once, and anew when this is opened again.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
}

/** Other values for the failed step of many runs, typed into a table; then one goes first, or all that were changed. */
export function EditDialog({ target, onClose }: { target: Target; onClose: () => void }) {
  const { t } = useTranslation(["deadLetters", "common"]);
  const [unsaved, setUnsaved] = useState(false);
  const [asked, setAsked] = useState(false);
  const close = () => {
    if (unsaved && !asked) setAsked(true);
    else onClose();
  };
  return (
    <Dialog opened onClose={close} title={t("edit.title", { title: retell("failures", target.group.code, target.group.title) })} size="min(1180px, 96vw)">
      {asked && unsaved && (
        <Note tone="wait">
          <span role="alert">{t("edit.unsaved")}</span>{" "}
          <span className={css.noteActions}>
            <Button size="sm" data-autofocus onClick={() => setAsked(false)}>
              {t("edit.keep")}
            </Button>
            <Button size="sm" variant="danger" onClick={onClose}>
              {t("edit.drop")}
            </Button>
          </span>
        </Note>
      )}
      <Editing target={target} onUnsaved={setUnsaved} onClose={close} />
    </Dialog>
  );
}

function Editing({ target, onUnsaved, onClose }: { target: Target; onUnsaved: (unsaved: boolean) => void; onClose: () => void }) {
  const { t } = useTranslation(["deadLetters", "common"]);
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const query = useRows(target);
  const specs = useNodeTypes().data;
  const [typed, setTyped] = useState<Typed>({});
  const [reason, setReason] = useState("");
  const rows = query.data ?? [];
  const type = rows.find((row) => row.type !== null)?.type;
  const columns = columnsOf(rows, type && specs ? specs[type] : undefined);
  const { edits, wrong, wrongCount } = changesOf(typed, rows, columns);
  const start = useMutation({
    mutationFn: (trial: boolean) =>
      startBulkRetry(workspace, { edits, version: "own", per_minute: PER_MINUTE, stop_after: STOP_AFTER, trial, reason: reason.trim() }),
    onSuccess: () => {
      onUnsaved(false);
      return refreshDeadLetters(client, workspace);
    },
  });
  if (start.data) return <BulkRetryProgress id={start.data.id} onClose={onClose} />;
  if (query.isPending || !specs) return <SkeletonRows rows={6} height={34} label={t("edit.loading")} />;
  if (query.isError) return <ErrorCard title={t("edit.loadFailed")} error={query.error} onRetry={() => void query.refetch()} />;
  const many = (count: number) => ({ count, number: format.number(count) });
  const fixed = rows.filter((row) => row.fixed !== null).length;
  const total = target.letters?.length ?? target.group.count;
  const said = start.error instanceof ApiError ? sentencesByRun(start.error.fields) : {};
  const ready = edits.length > 0 && wrongCount === 0 && !start.isPending;
  const change = (next: Typed) => {
    setTyped(next);
    onUnsaved(Object.keys(next).length > 0);
    // What was said of rows is about what was typed before.
    if (start.isError) start.reset();
  };
  if (columns.length === 0) {
    return (
      <>
        <EmptyState plain title={t("edit.nothing")} text={rows[0]?.fixed ? fixedText(rows[0].fixed) : t("edit.nothingText")} />
        <div className={css.foot}>
          <Button onClick={onClose}>{t("common:action.close")}</Button>
        </div>
      </>
    );
  }
  return (
    <div className={css.form}>
      <p className={css.lead}>{t("edit.lead", { step: target.group.step.name })}</p>
      {total > rows.length && <Note>{t("edit.limit", { ...many(total), shown: format.number(rows.length) })}</Note>}
      {fixed > 0 && <Note tone="wait">{t("edit.fixed", many(fixed))}</Note>}
      <EditGrid rows={rows} code={target.group.code} columns={columns} typed={typed} wrong={wrong} said={said} onChange={change} />
      {start.isError && <ErrorCard title={t("edit.failed")} error={start.error} />}
      <div className={css.bottom}>
        <TextField label={t("retry.reason")} autoComplete="off" maxLength={400} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        <div className={css.foot}>
          <span role="status" className={css.state} data-wrong={wrongCount > 0 || undefined}>
            {wrongCount > 0 ? t("edit.wrongCells", many(wrongCount)) : edits.length > 0 ? t("edit.changed", many(edits.length)) : t("edit.unchanged")}
            {wrongCount === 0 && edits.length > 0 && edits.length < rows.length && ` ${t("edit.others", many(rows.length - edits.length))}`}
          </span>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          {edits.length > 1 && (
            <Button busy={start.isPending && start.variables} disabled={!ready} onClick={() => start.mutate(true)}>
              {t("action.tryOne")}
            </Button>
          )}
          <Button variant="primary" busy={start.isPending && !start.variables} disabled={!ready} onClick={() => start.mutate(false)}>
            {t("edit.send", many(edits.length))}
          </Button>
        </div>
      </div>
    </div>
  );
}
