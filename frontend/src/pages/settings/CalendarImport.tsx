import { FileUp } from "lucide-react";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { bodyOf, type Calendar, type IcsDaysShape, usePreviewImport, useSaveCalendar } from "../../api/calendars";
import { Button, Dialog, ErrorCard, Note, showToast, tableBoxClass, tableClass, useFormatter } from "../../ui";
import css from "./calendars.module.css";

/** More than the server takes; such a file is not read at all. */
const MOST_BYTES = 200_000;

interface Props {
  calendar: Calendar;
  onSaved: (saved: Calendar) => void;
  onClose: () => void;
}

/** Takes the days of a calendar file over, after they were looked at. */
export function CalendarImport({ calendar, onSaved, onClose }: Props) {
  const { t } = useTranslation(["calendars", "common"]);
  const input = useRef<HTMLInputElement>(null);
  const [tooLarge, setTooLarge] = useState(false);
  const look = usePreviewImport();
  const save = useSaveCalendar(calendar, (saved) => {
    onSaved(saved);
    onClose();
    showToast({ title: t("saved", { name: saved.name }) });
  });
  const found = look.data;
  const read = async (file: File) => {
    setTooLarge(file.size > MOST_BYTES);
    look.reset();
    if (file.size <= MOST_BYTES) look.mutate({ text: await file.text(), days: calendar.days });
  };
  return (
    <Dialog opened onClose={onClose} title={t("import.of", { name: calendar.name })} size={620}>
      <div className={css.form}>
        <p>{t("import.text")}</p>
        <input
          ref={input}
          type="file"
          hidden
          accept=".ics,text/calendar"
          data-testid="calendar-file"
          onChange={(event) => {
            const chosen = event.currentTarget.files?.[0];
            event.currentTarget.value = "";
            if (chosen) void read(chosen);
          }}
        />
        {tooLarge && <Note tone="err">{t("import.tooLarge")}</Note>}
        {look.isError && <ErrorCard title={t("import.failed")} error={look.error} />}
        {save.isError && <ErrorCard title={t("saveFailed")} error={save.error} />}
        {found && <Found found={found} />}
        <div className={css.end}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button {...(found ? {} : { variant: "primary" as const, "data-autofocus": true })} icon={<FileUp size={16} aria-hidden />} busy={look.isPending} onClick={() => input.current?.click()}>
            {t(found ? "import.other" : "import.choose")}
          </Button>
          {found && found.days.length > 0 && (
            <Button variant="primary" busy={save.isPending} onClick={() => save.mutate({ ...bodyOf(calendar), days: [...calendar.days, ...found.days] })}>
              {t("import.add", { count: found.days.length })}
            </Button>
          )}
        </div>
      </div>
    </Dialog>
  );
}

function Found({ found }: { found: IcsDaysShape }) {
  const { t } = useTranslation("calendars");
  const format = useFormatter();
  const inUtc = format.in("UTC");
  const day = (text: string) => (text.length === 5 ? t("import.everyYear", { day: inUtc.dayMonth(`2028-${text}T12:00:00Z`) }) : inUtc.weekdayDay(`${text}T12:00:00Z`));
  return (
    <div role="status" className={css.form}>
      {found.days.length > 0 ? <p>{t("import.adds", { count: found.days.length, number: format.number(found.days.length) })}</p> : <Note>{t("import.nothing")}</Note>}
      {found.known > 0 && <p>{t("import.known", { count: found.known, number: format.number(found.known) })}</p>}
      {found.days.length > 0 && (
        <div className={`${tableBoxClass} ${css.found}`} tabIndex={0} role="region" aria-label={t("import.list")}>
          <table className={tableClass}>
            <thead>
              <tr>
                <th scope="col">{t("year.day")}</th>
                <th scope="col">{t("year.name")}</th>
              </tr>
            </thead>
            <tbody>
              {found.days.map((one) => (
                <tr key={`${one.day} ${one.until}`}>
                  <td>{one.until ? t("import.span", { from: day(one.day), until: day(one.until) }) : day(one.day)}</td>
                  <td>{one.name || t("kind.unnamed")}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {found.left_out.length > 0 && (
        <details>
          <summary>{t("import.leftOut", { count: found.left_out.length, number: format.number(found.left_out.length) })}</summary>
          <ul className={css.leftOut}>
            {found.left_out.map((one, place) => (
              <li key={place}>
                {one.name || t("kind.unnamed")}: {t(`import.why.${one.why}` as "import.why.time")}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
