import { Popover } from "@mantine/core";
import { Columns3 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { SearchField } from "../../api/runSearch";
import { Button, CheckboxField } from "../../ui";
import { allColumns, fieldOf } from "./columns";
import css from "./runs.module.css";

/** Which columns to look at; the run itself always stands there. */
export function ColumnsMenu({ shown, fields, onChoose }: { shown: readonly string[]; fields: readonly SearchField[]; onChoose: (columns: string[]) => void }) {
  const { t } = useTranslation("runs");
  const [opened, setOpened] = useState(false);
  const nameOf = (column: string): string => {
    const name = fieldOf(column);
    return name === null ? t(`column.${column}`) : (fields.find((field) => field.name === name)?.label ?? name);
  };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" width={240} radius={12} trapFocus returnFocus shadow="none" withinPortal>
      <Popover.Target>
        <Button size="sm" variant="quiet" icon={<Columns3 size={14} aria-hidden />} aria-expanded={opened} onClick={() => setOpened(!opened)}>
          {t("columns.button")}
        </Button>
      </Popover.Target>
      <Popover.Dropdown className={css.pop} aria-label={t("columns.button")}>
        {allColumns(fields)
          .filter((column) => column !== "run")
          .map((column) => (
            <CheckboxField
              key={column}
              label={nameOf(column)}
              checked={shown.includes(column)}
              onChange={(on) => onChoose(on ? [...shown, column] : shown.filter((one) => one !== column))}
            />
          ))}
      </Popover.Dropdown>
    </Popover>
  );
}
