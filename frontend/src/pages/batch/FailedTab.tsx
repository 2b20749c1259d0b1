import { Link } from "@tanstack/react-router";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Download, ExternalLink, RotateCcw, Upload } from "lucide-react";
import { type ClipboardEvent, type CSSProperties, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { type Batch, type BatchCause, correctEntries, errorFileUrl, type FailedEntry, refreshBatch, sendMended, useFailedEntries } from "../../api/batches";
import { useCan, useWorkspace } from "../../api/session";
import { retell } from "../../i18n/server";
import { Button, buttonClass, cx, EmptyState, ErrorCard, Note, showToast, SkeletonRows, tableBoxClass, tableClass, useFormatter } from "../../ui";
import css from "./batch.module.css";
import { type Edits, fieldsOf, isFields, isPasteOfCells, mended, pasted, textOf, typedSince, withoutFixed } from "./edits";
import failedCss from "./failed.module.css";

/** Of a cell that is shown whole. */
const MOST_LETTERS = 32;

/** Those that failed, by what they failed of: mended in a table here or in a spreadsheet, and gone on with. */
export function FailedTab({ batch, onRetry }: { batch: Batch; onRetry: (cause: BatchCause | null) => void }) {
  const { t } = useTranslation("batches");
  const mayRetry = useCan("reviewer");
  const [shown, setShown] = useState<string | null>(null);
  if (batch.causes.length === 0) return <EmptyState plain title={t("failed.none")} text={t(batch.failed > 0 ? "failed.noneWaits" : "failed.noneText")} />;
  const open = shown ?? batch.causes[0]?.cause;
  return (
    <div className={css.stack}>
      {mayRetry && <Tools batch={batch} cause={batch.causes.find((one) => one.cause === open) ?? batch.causes[0]} />}
      {batch.causes.map((cause) => (
        <section key={cause.cause} className={css.cause} aria-label={retell("failures", cause.code, cause.title)}>
          <div className={css.causeHead}>
            <button type="button" className={css.causeTitle} aria-expanded={open === cause.cause} onClick={() => setShown(open === cause.cause ? "" : cause.cause)}>
              <b>{retell("failures", cause.code, cause.title)}</b>
              <span className={css.count}>{t("failed.entries", { count: cause.count })}</span>
              <small>{retell("failures", cause.code, cause.example)}</small>
            </button>
            {mayRetry && (
              <Button size="sm" icon={<RotateCcw size={14} aria-hidden />} onClick={() => onRetry(cause)}>
                {t("failed.retryThese", { count: cause.count })}
              </Button>
            )}
          </div>
          {open === cause.cause && <Entries batch={batch} cause={cause} />}
        </section>
      ))}
    </div>
  );
}

/** What can be done with all of them at once; of a list that was decided as it is nothing is sent back. */
function Tools({ batch, cause }: { batch: Batch; cause: BatchCause | undefined }) {
  const { t } = useTranslation("batches");
  const workspace = useWorkspace().id;
  const found = useFailedEntries(batch.run_id, batch.node, cause?.cause ?? "", cause?.count ?? 0);
  const entries = found.data?.pages.flatMap((page) => page.items) ?? [];
  const isFixed = entries.length > 0 && entries.every((one) => one.fixed !== null);
  return (
    <div className={css.tools}>
      <p>{isFixed ? t("failed.leadFixed") : t("failed.lead")}</p>
      <span className={css.toolButtons}>
        <a className={buttonClass()} href={errorFileUrl(workspace, batch.run_id, batch.node)} download>
          <Download size={15} aria-hidden /> {t("failed.download")}
        </a>
        {!isFixed && <SendMended batch={batch} />}
      </span>
    </div>
  );
}

function Entries({ batch, cause }: { batch: Batch; cause: BatchCause }) {
  const { t } = useTranslation("batches");
  const noteId = useId();
  const mayRetry = useCan("reviewer");
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const found = useFailedEntries(batch.run_id, batch.node, cause.cause, cause.count);
  const [edits, setEdits] = useState<Edits>({});
  const [refused, setRefused] = useState<Readonly<Record<number, string>>>({});
  const entries = found.data?.pages.flatMap((page) => page.items) ?? [];
  const fields = fieldsOf(entries.map((one) => one.item));
  // Wide enough for what stands in them.
  const letters = fields.map((name) => Math.min(MOST_LETTERS, Math.max(...entries.map(({ item }) => textOf(isFields(item) ? item[name] : null).length))));
  const numbers = entries.map((one) => one.index);
  const changed = entries.filter((one) => edits[one.index] !== undefined).map((one) => ({ entry: one, ...mended(one.item, edits[one.index] ?? {}) }));
  const wrong = new Set(changed.flatMap((one) => one.wrong.map((name) => `${one.entry.index}/${name}`)));
  const send = useMutation({
    mutationFn: (_sent: Edits) => correctEntries(workspace, batch.run_id, batch.node, changed.map((one) => ({ index: one.entry.index, item: one.item }))),
    onSuccess: (became, sent) => {
      const begun = became.filter((one) => one.outcome === "begun");
      setRefused(Object.fromEntries(became.filter((one) => one.outcome === "refused").map((one) => [one.index, one.message])));
      setEdits((typed) => typedSince(typed, sent));
      if (begun.length > 0) showToast({ title: t("failed.begun", { count: begun.length }) });
      void refreshBatch(client, workspace, batch.run_id, batch.node);
    },
  });
  const paste = (event: ClipboardEvent<HTMLInputElement>, row: number, field: number) => {
    const text = event.clipboardData.getData("text/plain");
    if (!isPasteOfCells(text)) return;
    event.preventDefault();
    setEdits((before) => withoutFixed(pasted(before, text, numbers, fields, { row, field }), entries));
  };
  const reasons = [...new Set(entries.flatMap((one) => one.fixed ?? []))];
  return (
    <div className={css.entries}>
      {mayRetry && reasons.map((reason) => (
        <Note key={reason}>
          <span id={`${noteId}-${reason}`}>{t(`failed.fixed.${reason}`)}</span>
        </Note>
      ))}
      {found.isPending && <SkeletonRows rows={3} height={34} label={t("loading")} />}
      {found.isError && <ErrorCard title={t("failed.loadFailed")} error={found.error} onRetry={() => void found.refetch()} />}
      {entries.length > 0 && (
        <div className={cx(tableBoxClass, css.wide, failedCss.mend)}>
          <table className={tableClass} aria-label={retell("failures", cause.code, cause.title)}>
            <thead>
              <tr>
                <th scope="col">{t("failed.number")}</th>
                <th scope="col">{t("failed.name")}</th>
                {/* Before what is mended for it: however many fields there are, it is seen. */}
                <th scope="col">{t("failed.why")}</th>
                {fields.map((name) => (
                  <th key={name} scope="col">{name}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {entries.map((entry, row) => (
                <tr key={entry.run_id} data-testid={`failed-${entry.index + 1}`}>
                  <td className="tn">{entry.index + 1}</td>
                  <td className={failedCss.called}>
                    <span>{entry.label ?? "–"}</span>
                    <OpenRun entry={entry} />
                  </td>
                  <td className={failedCss.why}>
                    {refused[entry.index] ? <span className={css.wrong}>{refused[entry.index]}</span> : <Why text={retell("failures", cause.code, entry.message)} />}
                  </td>
                  {fields.map((name, field) => (
                    <td key={name} data-label={name}>
                      <input
                        className={css.cell}
                        style={{ "--letters": letters[field] } as CSSProperties}
                        aria-label={`${name}, ${entry.label ?? entry.index + 1}`}
                        aria-invalid={wrong.has(`${entry.index}/${name}`)}
                        readOnly={!mayRetry || entry.fixed !== null}
                        title={mayRetry && entry.fixed !== null ? t(`failed.fixed.${entry.fixed}`) : undefined}
                        aria-describedby={mayRetry && entry.fixed !== null ? `${noteId}-${entry.fixed}` : undefined}
                        data-changed={edits[entry.index]?.[name] !== undefined || undefined}
                        value={edits[entry.index]?.[name] ?? textOf(isFields(entry.item) ? entry.item[name] : null)}
                        onChange={(event) => {
                          const { value } = event.currentTarget;
                          setEdits((before) => ({ ...before, [entry.index]: { ...before[entry.index], [name]: value } }));
                        }}
                        onPaste={(event) => paste(event, row, field)}
                      />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {send.isError && <ErrorCard title={t("failed.sendFailed")} error={send.error} />}
      <div className={css.foot}>
        {found.hasNextPage && (
          <Button size="sm" busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            {t("more")}
          </Button>
        )}
        {changed.length > 0 && (
          <>
            <span role="status">{wrong.size > 0 ? t("failed.notFitting", { count: wrong.size }) : t("failed.changed", { count: changed.length })}</span>
            <Button size="sm" onClick={() => setEdits({})}>{t("failed.forget")}</Button>
            <Button size="sm" variant="primary" busy={send.isPending} disabled={wrong.size > 0} onClick={() => send.mutate(edits)}>
              {t("failed.sendChanged", { count: changed.length })}
            </Button>
          </>
        )}
      </div>
    </div>
  );
}

function OpenRun({ entry }: { entry: FailedEntry }) {
  const { t } = useTranslation("batches");
  return (
    <Link to="/runs/$runId" params={{ runId: entry.run_id }} className={css.iconLink} aria-label={t("failed.openRun", { number: entry.index + 1 })}>
      <ExternalLink size={15} aria-hidden />
    </Link>
  );
}

/** Takes back the file of those that failed, mended in a spreadsheet. */
function SendMended({ batch }: { batch: Batch }) {
  const { t } = useTranslation("batches");
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const send = useMutation({
    mutationFn: (file: File) => sendMended(workspace, batch.run_id, batch.node, file),
    onSuccess: (became) => {
      const title = t("failed.uploaded", { count: became.begun, number: format.number(became.begun) });
      // Where nothing failed any more, the list makes way: so it is told beside it.
      if (became.problems.length === 0) showToast({ title });
      void refreshBatch(client, workspace, batch.run_id, batch.node);
    },
  });
  return (
    <>
      <Button icon={<Upload size={15} aria-hidden />} busy={send.isPending} onClick={() => input.current?.click()}>
        {t("failed.upload")}
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        accept=".xlsx,.csv"
        aria-label={t("failed.upload")}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = "";
          if (file) send.mutate(file);
        }}
      />
      {send.isError && <ErrorCard title={t("failed.uploadFailed")} error={send.error} />}
      {send.data && send.data.problems.length > 0 && (
        <Note tone="wait">
          {t("failed.uploaded", { count: send.data.begun, number: format.number(send.data.begun) })}
          <ul>
            {send.data.problems.slice(0, 10).map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        </Note>
      )}
    </>
  );
}

function Why({ text }: { text: string }) {
  return (
    <span className={failedCss.whyText} title={text}>
      {text}
    </span>
  );
}
