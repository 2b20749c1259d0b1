import { CircleCheck, Download, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";

import { contentUrl } from "../api/files";
import { useWorkspace } from "../api/session";
import type { Cause, ExpectedColumn, TableCheck } from "../api/intake";
import { Button, ErrorCard, SkeletonRows, useFormatter } from "../ui";
import { rowsOf, unfit } from "./intake";
import css from "./intake.module.css";

interface ReportProps {
  /** Undefined as long as something has to be said first. */
  check: TableCheck | undefined;
  busy: boolean;
  error: unknown;
  columns: readonly ExpectedColumn[];
  /** With the file of the rows that do not fit, once it was made. */
  left: TableCheck | null;
  leaving: boolean;
  leavingError: unknown;
  goOn: boolean;
  onLeave(): Promise<TableCheck | null>;
  onGoOn(on: boolean): void;
  onRetry(): void;
}

/** What came of all rows: how many fit, why the others do not, and what can be done about them. */
export function Report(props: ReportProps) {
  const { t } = useTranslation("intake");
  const { check, busy, error } = props;
  if (error) return <ErrorCard title={t("rows.failed")} error={error} onRetry={props.onRetry} />;
  if (busy) return <SkeletonRows rows={2} label={t("rows.checking")} />;
  if (!check) return <p className={css.lead}>{t("rows.later")}</p>;
  return (
    <div role="status" className={css.report} data-testid="report">
      <Outcome {...props} check={check} />
    </div>
  );
}

function Outcome({ check, columns, left, leaving, leavingError, goOn, onLeave, onGoOn }: ReportProps & { check: TableCheck }) {
  const { t } = useTranslation("intake");
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const bad = unfit(check);
  const numbers = { total: format.number(check.total), fitting: format.number(check.fitting), bad: format.number(bad), count: bad };
  if (check.total === 0) return <p className={css.verdict}><TriangleAlert size={17} aria-hidden /> {t("rows.none")}</p>;
  if (bad === 0) {
    return (
      <p className={css.verdict} data-tone="ok">
        <CircleCheck size={17} aria-hidden /> {t("rows.all", { ...numbers, count: check.total })}
      </p>
    );
  }
  const download = async (): Promise<void> => {
    const file = (await onLeave().catch(() => null))?.left_out;
    if (!file) return;
    const link = document.createElement("a");
    link.href = contentUrl(workspace, file.id);
    link.download = file.name;
    link.click();
  };
  const without = async (): Promise<void> => {
    if ((await onLeave().catch(() => null))?.value) onGoOn(true);
  };
  return (
    <>
      <p className={css.verdict} data-tone={goOn ? "ok" : undefined}>
        {goOn ? <CircleCheck size={17} aria-hidden /> : <TriangleAlert size={17} aria-hidden />}
        {goOn ? t("rows.without", numbers) : check.fitting === 0 ? t("rows.noneFits", numbers) : t("rows.some", numbers)}
      </p>
      <ul className={css.causes}>
        {check.causes.map((cause) => (
          <CauseLine key={`${cause.column} ${cause.code}`} cause={cause} columns={columns} />
        ))}
      </ul>
      {leavingError !== null && <ErrorCard title={t("rows.leaveFailed")} error={leavingError} />}
      {left?.scattered && <p className={css.wrong}>{t("rows.scattered")}</p>}
      <div className={css.actions}>
        <Button icon={<Download size={15} aria-hidden />} busy={leaving} onClick={() => void download()}>
          {t("rows.download", numbers)}
        </Button>
        {check.fitting > 0 && !goOn && !left?.scattered && (
          <Button busy={leaving} onClick={() => void without()} data-testid="go-on-without">
            {t("rows.goOn", numbers)}
          </Button>
        )}
        {goOn && (
          <Button variant="quiet" onClick={() => onGoOn(false)}>
            {t("rows.notWithout")}
          </Button>
        )}
      </div>
      <p className={css.lead}>{goOn && left?.left_out ? t("rows.keptAs", { file: left.left_out.name }) : t("rows.mend")}</p>
    </>
  );
}

function CauseLine({ cause, columns }: { cause: Cause; columns: readonly ExpectedColumn[] }) {
  const { t } = useTranslation("intake");
  const format = useFormatter();
  const column = columns.find((one) => one.name === cause.column);
  const keys = columns.filter((one) => one.key).map((one) => one.label);
  const more = cause.count > cause.rows.length ? " …" : "";
  const twins = cause.code === "twice" ? cause.rows.slice(0, 5).map((row, at) => t("twin", { row, like: cause.samples[at] ?? "" })) : [];
  return (
    <li>
      <b>{t(`cause.${cause.code}`, { count: cause.count, number: format.number(cause.count), column: column?.label ?? keys.join(" + "), currency: column?.currency ?? "" })}</b>
      <small>
        {twins.length > 0 ? twins.join(" · ") + (cause.count > twins.length ? " …" : "") : t("inRows", { count: cause.count, rows: rowsOf(cause) + more })}
        {twins.length === 0 && cause.samples.length > 0 && ` · ${cause.samples.map((one) => t("quoted", { text: one })).join(", ")}`}
      </small>
    </li>
  );
}
