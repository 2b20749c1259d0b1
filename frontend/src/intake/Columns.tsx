import { useTranslation } from "react-i18next";

import type { ExpectedColumn, Sources, TableLook } from "../api/intake";
import { SelectField, useFormatter } from "../ui";
import { isNeeded } from "./intake";
import css from "./intake.module.css";

interface ColumnsProps {
  look: TableLook;
  sources: Sources;
  columns: readonly ExpectedColumn[];
  onChoose(name: string, header: string): void;
}

/** Which of the file's columns is which expected one. */
export function Columns({ look, sources, columns, onChoose }: ColumnsProps) {
  const { t } = useTranslation("intake");
  const format = useFormatter();
  const { remembered } = look;
  const proposed = columns.filter((column) => sources[column.name]).length;
  return (
    <>
      <p className={css.lead}>
        {remembered
          ? t(remembered.by ? "columns.rememberedBy" : "columns.remembered", { when: format.day(remembered.at), by: remembered.by })
          : t("columns.proposed", { count: proposed, all: columns.length })}
      </p>
      <div className={css.fields}>
        {columns.map((column) => {
          const header = sources[column.name] ?? "";
          const samples = look.columns.find((one) => one.name === header)?.samples ?? [];
          const absent = isNeeded(column) && !header;
          return (
            <div key={column.name} className={css.column}>
              <SelectField
                label={column.label}
                aside={[t(`type.${column.type}`), column.currency, isNeeded(column) ? t("required") : ""].filter(Boolean).join(" · ")}
                value={header}
                options={[
                  { value: "", label: isNeeded(column) ? t("columns.choose") : t("columns.notThere") },
                  ...look.columns.map((one) => ({ value: one.name, label: one.name })),
                ]}
                error={absent ? t("columns.needed", { column: column.label }) : undefined}
                hint={header ? samples.join(" · ") || t("columns.empty") : undefined}
                onChange={(next) => onChoose(column.name, next)}
              />
            </div>
          );
        })}
      </div>
    </>
  );
}
