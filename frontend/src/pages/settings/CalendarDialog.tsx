import { Plus, Trash2 } from "lucide-react";
import { useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { type Calendar, countryName, useCountries, useSaveCalendar } from "../../api/calendars";
import { ApiError } from "../../api/client";
import { Button, CheckboxField, Dialog, ErrorCard, IconButton, SelectField, showToast, TextField, useFormatter } from "../../ui";
import { dayOf } from "../schedules/days";
import { type DayRow, dayOfRow, isTooLong, rowOf } from "./calendarDays";
import css from "./calendars.module.css";

/** As the server names them. */
const CLOSES = ["last", "last_workday", "workday_last_2", "workday_last_3", "first_workday", ...Array.from({ length: 14 }, (_, number) => `workday_${number + 2}`)];
const MON_FRI = [0, 1, 2, 3, 4];

interface Props {
  /** None: a new one. */
  calendar: Calendar | null;
  onSaved: (saved: Calendar) => void;
  onClose: () => void;
}

/** Says which days are worked. */
export function CalendarDialog({ calendar, onSaved, onClose }: Props) {
  const { t, i18n } = useTranslation(["calendars", "common"]);
  const today = dayOf(Date.now(), useFormatter().timeZone);
  const [name, setName] = useState(calendar?.name ?? "");
  const [weekdays, setWeekdays] = useState<readonly number[]>(calendar?.weekdays ?? MON_FRI);
  const [country, setCountry] = useState(calendar?.country ?? "");
  const [region, setRegion] = useState(calendar?.region ?? "");
  const [close, setClose] = useState(calendar?.close ?? "");
  const [isDefault, setDefault] = useState(calendar?.default ?? false);
  const [rows, setRows] = useState<readonly DayRow[]>(() => (calendar?.days ?? []).map((day, number) => rowOf(day, number, today.slice(0, 4))));
  /** The keys of the days that were sent last, in their order: so the server names them. */
  const [sent, setSent] = useState<readonly number[]>([]);
  const weekdaysWrong = useId();
  const countries = useCountries().data ?? [];
  const regions = countries.find((one) => one.code === country)?.regions ?? [];
  const save = useSaveCalendar(calendar, (saved) => {
    onSaved(saved);
    onClose();
    showToast({ title: t("saved", { name: saved.name }) });
  });
  const fields = save.error instanceof ApiError ? save.error.fields : {};
  const said = (field: string) => fields[field]?.join(" ");
  const names = countries.map((one) => ({ value: one.code, label: countryName(one.code, i18n.language) })).sort((a, b) => a.label.localeCompare(b.label, i18n.language));
  // What is not loaded yet must not look as if nothing was chosen.
  if (country && !names.some((one) => one.value === country)) names.push({ value: country, label: countryName(country, i18n.language) });
  const given = regions.includes(region) || !region ? regions : [region, ...regions];
  return (
    <Dialog opened onClose={onClose} title={calendar ? t("edit", { name: calendar.name }) : t("make")} size={620}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (rows.some(isTooLong)) {
            event.currentTarget.querySelector<HTMLElement>("[data-too-long] [aria-invalid]")?.focus();
            return;
          }
          setSent(rows.filter((row) => row.from).map((row) => row.key));
          save.mutate({ name, weekdays: [...weekdays], country, region, close, default: isDefault, days: rows.filter((row) => row.from).map(dayOfRow) });
        }}
      >
        {save.isError && Object.keys(fields).length === 0 && <ErrorCard title={t("saveFailed")} error={save.error} />}
        <TextField label={t("name")} required data-autofocus autoComplete="off" maxLength={80} value={name} error={said("name")} onChange={(event) => setName(event.currentTarget.value)} />
        <fieldset className={css.weekdays} aria-describedby={said("weekdays") ? weekdaysWrong : undefined}>
          <legend>{t("weekdays")}</legend>
          <div>
            {Array.from({ length: 7 }, (_, day) => (
              <CheckboxField
                key={day}
                label={t(`weekdayLong.${day}` as "weekdayLong.0")}
                checked={weekdays.includes(day)}
                onChange={(on) => setWeekdays(on ? [...weekdays, day].sort() : weekdays.filter((one) => one !== day))}
              />
            ))}
          </div>
          {said("weekdays") && (
            <p id={weekdaysWrong} className={css.wrong} role="alert">
              {said("weekdays")}
            </p>
          )}
        </fieldset>
        <div className={css.two}>
          <SelectField
            label={t("country")}
            error={said("country")}
            value={country}
            options={[{ value: "", label: t("noHolidays") }, ...names]}
            onChange={(chosen) => {
              setCountry(chosen);
              setRegion("");
            }}
          />
          {given.length > 0 && (
            <SelectField label={t("region")} error={said("region")} value={region} options={[{ value: "", label: t("wholeCountry") }, ...given.map((one) => ({ value: one, label: one }))]} onChange={setRegion} />
          )}
        </div>
        <Days rows={rows} sent={sent} today={today} fields={fields} onChange={setRows} />
        <SelectField
          label={t("closeLabel")}
          hint={t("closeHint")}
          error={said("close")}
          value={close}
          options={[{ value: "", label: t("close.none") }, ...CLOSES.map((one) => ({ value: one, label: t(`close.${one}` as "close.last") }))]}
          onChange={setClose}
        />
        {!calendar?.default && <CheckboxField label={t("makeDefault")} hint={t("makeDefaultHint")} checked={isDefault} onChange={setDefault} />}
        <div className={css.end}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={save.isPending} disabled={!name.trim()}>
            {t("save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface DaysProps {
  rows: readonly DayRow[];
  sent: readonly number[];
  today: string;
  fields: Record<string, string[] | undefined>;
  onChange: (rows: readonly DayRow[]) => void;
}

/** Days that are free, or worked, by the calendar's own word. */
function Days({ rows, sent, today, fields, onChange }: DaysProps) {
  const { t } = useTranslation("calendars");
  const list = useRef<HTMLDivElement>(null);
  const add = useRef<HTMLButtonElement>(null);
  const hint = useId();
  const put = (key: number, more: Partial<DayRow>) => onChange(rows.map((row) => (row.key === key ? { ...row, ...more } : row)));
  const daysWrong = useId();
  const wrongOfAll = fields["days"]?.join(" ");
  return (
    <fieldset className={css.days} aria-describedby={wrongOfAll ? `${hint} ${daysWrong}` : hint}>
      <legend>{t("days.title")}</legend>
      <p id={hint}>{t("days.hint")}</p>
      {rows.length > 0 && (
        <div ref={list} className={css.dayList}>
          {rows.map((row, place) => {
            const number = sent.indexOf(row.key);
            const wrong = ["day", "until", "name"].flatMap((field) => fields[`days.${number}.${field}`] ?? []).join(" ");
            return (
              <div key={row.key} data-too-long={isTooLong(row) || undefined} aria-label={t("days.entry", { number: place + 1 })} role="group">
                <TextField type="date" label={t("days.from")} required value={row.from} onChange={(event) => put(row.key, { from: event.currentTarget.value })} />
                <TextField type="date" label={t("days.until")} error={isTooLong(row) ? t("days.tooLong") : undefined} value={row.until} onChange={(event) => put(row.key, { until: event.currentTarget.value })} />
                <IconButton
                  label={t("days.remove", { name: row.name || row.from || place + 1 })}
                  icon={<Trash2 size={16} />}
                  onClick={() => {
                    onChange(rows.filter((one) => one.key !== row.key));
                    add.current?.focus();
                  }}
                />
                <div className={css.dayName}>
                  <TextField label={t("days.name")} maxLength={100} autoComplete="off" value={row.name} onChange={(event) => put(row.key, { name: event.currentTarget.value })} />
                </div>
                <div className={css.dayMore}>
                  <CheckboxField label={t("days.yearly")} checked={row.yearly} onChange={(yearly) => put(row.key, { yearly })} />
                  <CheckboxField label={t("days.works")} checked={row.works} onChange={(works) => put(row.key, { works })} />
                </div>
                {wrong && (
                  <p className={css.wrong} role="alert">
                    {wrong}
                  </p>
                )}
              </div>
            );
          })}
        </div>
      )}
      {wrongOfAll && (
        <p id={daysWrong} className={css.wrong} role="alert">
          {wrongOfAll}
        </p>
      )}
      <Button
        ref={add}
        size="sm"
        icon={<Plus size={15} aria-hidden />}
        onClick={() => {
          onChange([...rows, { key: Math.max(-1, ...sent, ...rows.map((row) => row.key)) + 1, from: today, until: "", yearly: false, name: "", works: false }]);
          requestAnimationFrame(() => list.current?.lastElementChild?.querySelector("input")?.focus());
        }}
      >
        {t("days.add")}
      </Button>
    </fieldset>
  );
}
