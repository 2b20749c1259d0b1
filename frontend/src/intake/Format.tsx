import { ChevronDown, ChevronUp } from "lucide-react";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import type { ExpectedColumn, GivenFormat, TableLook } from "../api/intake";
import { Button, Chip, SelectField } from "../ui";
import css from "./intake.module.css";

const ENCODINGS = ["utf-8", "cp1252", "cp1250", "cp1253", "cp1251", "cp1254", "iso8859_15", "iso8859_2", "iso8859_7", "utf-16", "cp850", "cp852", "mac_roman"];
const DELIMITERS = [";", ",", "\t", "|"] as const;
const NAMED: Record<string, string> = { ";": "semicolon", ",": "comma", "\t": "tab", "|": "bar" };
const ROWS = 10;

/** How the file is read, in words; and what can be said about it where that is not right. */
export function Format({ look, columns, onChange }: { look: TableLook; columns: readonly ExpectedColumn[]; onChange(part: GivenFormat): void }) {
  const { t } = useTranslation("intake");
  const [opened, setOpened] = useState(false);
  const id = useId();
  const { format, sheets } = look;
  const csv = format.kind === "csv";
  const has = (...types: readonly string[]): boolean => columns.some((one) => types.includes(one.type) && look.sources[one.name]);
  const known = format.encoding.replace("utf-8-sig", "utf-8").replace(/^utf-16-.e$/, "utf-16");
  const encodings = ENCODINGS.includes(known) ? ENCODINGS : [known, ...ENCODINGS];
  const sheet = format.sheet || sheets[0] || "";
  const header = format.header > 0 ? t("format.namesIn", { row: format.header }) : t("format.noNames");
  return (
    <>
      <div className={css.chips}>
        {csv ? (
          <>
            <Chip>{t(`format.delimiter.${NAMED[format.delimiter] ?? "comma"}`)}</Chip>
            <Chip>{encodingName(known)}</Chip>
          </>
        ) : (
          <Chip>{t("format.workbook", { sheet })}</Chip>
        )}
        <Chip>{header}</Chip>
        {has("number", "amount") && csv && !look.asks.some((ask) => ask.kind === "decimal") && <Chip>{t(`format.decimal.${format.decimal === "," ? "comma" : "point"}`)}</Chip>}
        {/* As long as it is asked, nothing is said. */}
        {has("date") && csv && !look.asks.some((ask) => ask.kind === "dates") && <Chip>{t(`format.daysAs.${format.dates}`)}</Chip>}
        <Button
          size="sm"
          variant="link"
          aria-expanded={opened}
          aria-controls={id}
          icon={opened ? <ChevronUp size={14} aria-hidden /> : <ChevronDown size={14} aria-hidden />}
          onClick={() => setOpened(!opened)}
        >
          {t("format.change")}
        </Button>
      </div>
      <div id={id} className={css.fields} hidden={!opened}>
        {opened && (
          <>
            {csv && (
              <>
                <SelectField
                  label={t("format.delimiterLabel")}
                  value={format.delimiter}
                  options={DELIMITERS.map((one) => ({ value: one, label: t(`format.delimiter.${NAMED[one]}`) }))}
                  onChange={(value) => onChange({ delimiter: value })}
                />
                <SelectField
                  label={t("format.encodingLabel")}
                  value={known}
                  options={encodings.map((one) => ({ value: one, label: t(`format.encoding.${one}`, { defaultValue: encodingName(one) }) }))}
                  onChange={(value) => onChange({ encoding: value })}
                />
              </>
            )}
            <SelectField
              label={t("format.headerLabel")}
              value={String(format.header)}
              options={rowsFor(format.header).map((row) => ({ value: String(row), label: row > 0 ? t("format.row", { row }) : t("format.noNames") }))}
              onChange={(value) => onChange({ header: Number(value) })}
            />
            <SelectField
              label={t("format.decimalLabel")}
              value={format.decimal}
              options={[
                { value: ",", label: t("format.decimal.comma") },
                { value: ".", label: t("format.decimal.point") },
              ]}
              onChange={(value) => onChange({ decimal: value === "," ? "," : "." })}
            />
            <SelectField
              label={t("format.datesLabel")}
              value={format.dates}
              options={[
                { value: "dmy", label: t("format.dates.dmy") },
                { value: "mdy", label: t("format.dates.mdy") },
              ]}
              onChange={(value) => onChange({ dates: value === "mdy" ? "mdy" : "dmy" })}
            />
          </>
        )}
      </div>
      {sheets.length > 1 && (
        <div className={css.fields}>
          <SelectField
            label={t("format.sheetLabel")}
            value={sheet}
            options={sheets.map((one) => ({ value: one, label: one }))}
            onChange={(value) => onChange({ sheet: value })}
          />
        </div>
      )}
    </>
  );
}

function rowsFor(header: number): number[] {
  const rows = Array.from({ length: ROWS }, (_, row) => row + 1);
  return [...rows, ...(header > ROWS ? [header] : []), 0];
}

function encodingName(name: string): string {
  return name.replace(/^cp(125\d)$/, "Windows-$1").replace(/^iso8859_/, "ISO-8859-").replace(/^utf/, "UTF");
}
