import { useTranslation } from "react-i18next";

import { DEFAULT, OWN, useCalendars } from "../../api/calendars";
import { words } from "../../graph";
import { cx } from "../../ui";
import css from "../inspector.module.css";
import type { WidgetProps } from "../Widget";
import { choicesOf } from "../widgetOf";
import { textOf } from "./basic";

/** Chooses whose working days count: a calendar of the workspace, a country, or Monday to Friday. */
export default function CalendarPicker({ id, field, value, onChange, invalid, describedBy, readOnly }: WidgetProps) {
  const { t } = useTranslation("inspector");
  const found = useCalendars();
  const current = textOf(value);
  const [plain, ...countries] = choicesOf(field.schema, field.hints, words);
  const own = (found.data ?? []).map((one) => ({ value: OWN + one.key, label: one.name }));
  const usual = found.data?.find((one) => one.default);
  if (usual) own.unshift({ value: DEFAULT, label: t("calendar.default", { name: usual.name }) });
  const known = current === "" || [...own, ...countries].some((one) => one.value === current);
  return (
    <select
      id={id}
      className={cx(css.input, css.select)}
      value={current}
      disabled={readOnly}
      aria-invalid={invalid || undefined}
      aria-describedby={describedBy}
      onChange={(event) => onChange(event.currentTarget.value)}
    >
      {!known && <option value={current}>{found.isPending ? "…" : t("calendar.gone", { name: current.replace(OWN, "") })}</option>}
      <option value="">{plain?.label}</option>
      {own.length > 0 && (
        <optgroup label={t("calendar.own")}>
          {own.map((one) => (
            <option key={one.value} value={one.value}>
              {one.label}
            </option>
          ))}
        </optgroup>
      )}
      <optgroup label={t("calendar.countries")}>
        {countries.map((one) => (
          <option key={one.value} value={one.value}>
            {one.label}
          </option>
        ))}
      </optgroup>
    </select>
  );
}
