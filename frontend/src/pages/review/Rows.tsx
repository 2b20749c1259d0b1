import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Check, X } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { changeRows, everyRow, PAGE, refreshReview, type Review, type ReviewColumn, type ReviewRow, type RowBecame, type RowChange, type RowsShown, useReviewRows } from "../../api/reviews";
import { useWorkspace } from "../../api/session";
import { Button, Card, ErrorCard, FilterChip, SearchBox, showToast, useFormatter } from "../../ui";
import { Cards } from "./Cards";
import { changesOf, type Edits, withCell, withPaste } from "./edits";
import { Grid } from "./Grid";
import { RejectDialog } from "./RejectDialog";
import css from "./review.module.css";

const SHOWN: readonly RowsShown[] = ["todo", "all", "changed", "rejected"];
/** More than this is not selected by one click. */
const MOST_SELECTED = 2_000;

/** What a row is told of: by its number, why the server left it as it was. */
export type Told = Readonly<Record<number, RowBecame>>;

export interface RowsView {
  review: Review;
  /** By place; a row that is not there yet is undefined. */
  rows: readonly (ReviewRow | undefined)[];
  total: number;
  edits: Edits;
  wrong: ReadonlySet<string>;
  told: Told;
  picked: ReadonlySet<number>;
  onPick: (row: ReviewRow) => void;
  onType: (row: ReviewRow, column: ReviewColumn, text: string) => void;
  onPaste: (place: number, column: number, text: string) => void;
  onState: (row: ReviewRow, state: "" | "accepted" | "rejected") => void;
}

/** The rows: those that wait for a decision first, all of them on demand; changed where they stand. */
export function Rows({ review, phone, onUnsaved }: { review: Review; phone: boolean; onUnsaved: (count: number) => void }) {
  const { t } = useTranslation("reviews");
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const [chosen, setChosen] = useState<RowsShown>(review.todo > 0 ? "todo" : "all");
  const reviewing = review.stage === "review";
  const show = chosen === "todo" && !reviewing ? "all" : chosen;
  const [typed, setTyped] = useState("");
  const [search, setSearch] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSearch(typed.trim()), 200);
    return () => clearTimeout(timer);
  }, [typed]);
  const [pages, setPages] = useState<readonly number[]>([0]);
  const [edits, setEdits] = useState<Edits>({});
  const [told, setTold] = useState<Told>({});
  const [picked, setPicked] = useState<ReadonlyMap<number, ReviewRow>>(new Map());
  const [heard, setHeard] = useState("");
  const [rejecting, setRejecting] = useState<readonly ReviewRow[] | null>(null);
  const look = (next: RowsShown): void => {
    setChosen(next);
    setPages([0]);
    setPicked(new Map());
  };
  useEffect(() => setPages([0]), [search]);

  const found = useReviewRows(review.task_id, show, search, pages, review.revision);
  const [kept, setKept] = useState<{ of: string; total: number; rows: readonly (ReviewRow | undefined)[] }>({ of: "", total: 0, rows: [] });
  const of = `${show} ${search}`;
  const loaded = found.every((one) => one.data !== undefined);
  useEffect(() => {
    if (!loaded) return;
    // What was shown stays until what is new has come whole: nothing flickers while others work on the list.
    const total = found[0]?.data?.total ?? 0;
    const rows: (ReviewRow | undefined)[] = [];
    found.forEach((one, index) => one.data?.rows.forEach((row, at) => (rows[(pages[index] ?? 0) * PAGE + at] = row)));
    setKept({ of, total, rows });
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- the pages themselves are new with every render
  }, [loaded, of, pages, review.revision]);
  const shown = kept.of === of ? kept : { total: 0, rows: [] };

  const unsaved = Object.keys(edits).length;
  useEffect(() => onUnsaved(unsaved), [onUnsaved, unsaved]);
  const { changes, wrong } = useMemo(() => changesOf(edits, review.columns), [edits, review.columns]);
  const send = useMutation({
    mutationFn: (sent: readonly RowChange[]) => changeRows(workspace, review.task_id, sent),
    onSuccess: (became) => {
      const left = became.filter((one) => one.outcome !== "changed");
      setTold(Object.fromEntries(left.map((one) => [one.number, one])));
      setEdits((before) => afterSending(before, became));
      setPicked(new Map());
      const well = became.length - left.length;
      // Whoever sees it sees it in the rows: a message over them would be in the way.
      setHeard(well > 0 ? t("rows.saved", { count: well, number: format.number(well) }) : "");
      if (left.length > 0) showToast({ tone: "err", title: t("rows.left", { count: left.length, number: format.number(left.length) }), text: left[0]?.message ?? "" });
    },
    onSettled: () => void refreshReview(client, workspace, review.task_id),
  });
  const decide = (rows: readonly ReviewRow[], state: "" | "accepted" | "rejected", reason = ""): void =>
    send.mutate(rows.map(({ number, version }) => ({ number, version, state, reason })));
  const counts: Record<RowsShown, number> = { todo: review.todo, all: review.rows, changed: review.changed, rejected: review.rejected };
  const view: RowsView = {
    review,
    rows: shown.rows,
    total: shown.total,
    edits,
    wrong,
    told,
    picked: new Set(picked.keys()),
    onPick: (row) =>
      setPicked((before) => {
        const next = new Map(before);
        if (!next.delete(row.number)) next.set(row.number, row);
        return next;
      }),
    onType: (row, column, text) => setEdits((before) => withCell(before, row, column, text)),
    onPaste: (row, column, text) => setEdits((before) => withPaste(before, text, shown.rows, review.columns, { row, column })),
    onState: (row, state) => (state === "rejected" ? setRejecting([row]) : decide([row], state)),
  };
  const pickAll = async (): Promise<void> => {
    const all = await everyRow(workspace, review.task_id, show, search);
    setPicked(new Map(all.map((row) => [row.number, row])));
  };
  const many = [...picked.values()];
  return (
    <Card className={css.rowsCard}>
      <div className={css.tools}>
        <div className={css.filters} role="group" aria-label={t("rows.filter")}>
          {SHOWN.filter((one) => one !== "todo" || reviewing).map((one) => (
            <FilterChip key={one} on={show === one} onClick={() => look(one)}>
              {t(`rows.show.${one}`)} <span className="tn">{format.number(counts[one])}</span>
            </FilterChip>
          ))}
        </div>
        <SearchBox value={typed} onChange={setTyped} label={t("rows.search")} className={css.search} />
      </div>
      {found[0]?.isError && <ErrorCard title={t("loadFailed")} error={found[0].error} onRetry={() => void found[0]?.refetch()} />}
      {loaded && shown.total === 0 ? (
        <p className={css.empty}>{search ? t("rows.notFound", { search }) : t(`rows.none.${show}`)}</p>
      ) : phone ? (
        <Cards view={view} onMore={() => setPages((before) => [...before, before.length])} />
      ) : (
        <Grid key={of} view={view} loading={!loaded} onPages={setPages} onPickAll={shown.total <= MOST_SELECTED && review.may_edit ? () => void pickAll() : undefined} onPickNone={() => setPicked(new Map())} />
      )}
      <span className="srOnly" role="status">
        {heard}
      </span>
      {send.isError && <ErrorCard title={t("rows.notSaved")} error={send.error} />}
      {(unsaved > 0 || many.length > 0) && review.may_edit && (
        <div className={css.bar} role="region" aria-label={t("rows.bar")}>
          {unsaved > 0 ? (
            <>
              <span role="status">{wrong.size > 0 ? t("rows.wrong", { count: wrong.size }) : t("rows.unsaved", { count: unsaved, number: format.number(unsaved) })}</span>
              <Button size="sm" onClick={() => { setEdits({}); setTold({}); }}>{t("rows.forget")}</Button>
              <Button size="sm" variant="primary" busy={send.isPending} disabled={wrong.size > 0} onClick={() => send.mutate(changes)}>
                {t("rows.save", { count: unsaved, number: format.number(unsaved) })}
              </Button>
            </>
          ) : (
            <>
              <span role="status">{t("rows.picked", { count: many.length, number: format.number(many.length) })}</span>
              <Button size="sm" icon={<X size={14} aria-hidden />} onClick={() => setRejecting(many)}>{t("rows.reject")}</Button>
              <Button size="sm" variant="primary" icon={<Check size={14} aria-hidden />} busy={send.isPending} onClick={() => decide(many, "accepted")}>
                {t("rows.accept")}
              </Button>
            </>
          )}
        </div>
      )}
      {rejecting && (
        <RejectDialog
          rows={rejecting}
          onClose={() => setRejecting(null)}
          onReject={(reason) => {
            decide(rejecting, "rejected", reason);
            setRejecting(null);
          }}
        />
      )}
    </Card>
  );
}

/** What is left to be saved: rows that were not taken, to be put over what stands there now. */
function afterSending(edits: Edits, became: readonly RowBecame[]): Edits {
  const left: Record<number, Edits[number]> = { ...edits };
  for (const one of became) {
    const before = left[one.number];
    if (!before) continue;
    if (one.outcome === "changed") delete left[one.number];
    else left[one.number] = { ...before, version: one.row?.version ?? before.version };
  }
  return left;
}
