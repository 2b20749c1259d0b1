import { useTranslation } from "react-i18next";

import type { Json, TaskDetail } from "../../api/types";
import { formatExact } from "../../graph/exact";
import { FileLines } from "../../preview/FileLine";
import { filesOf, firstToOpen, SHOWN_FILES } from "../../preview/value";
import { FactTable } from "./FactTable";
import css from "./inbox.module.css";
import { isAsking, tableOf } from "./task";

function factText(value: Json): string {
  if (value === null || value === undefined || value === "") return "–";
  return typeof value === "object" ? formatExact(value, 1) : String(value);
}

/** Characters of a fact that is a text to read, and stands below its name. */
const LONG = 60;

/** What there is to decide by. */
export function Facts({ task }: { task: TaskDetail }) {
  const { t } = useTranslation("inbox");
  if (task.facts.length === 0) return null;
  // Whoever has to decide sees at once what it is about, of what has a line.
  const open = isAsking(task) ? firstToOpen(task.facts.flatMap((fact) => filesOf(fact.value).slice(0, SHOWN_FILES))) : null;
  return (
    <section className={css.block}>
      <h3>{t("facts")}</h3>
      <dl className={css.facts}>
        {task.facts.map(({ label, value }, index) => {
          const files = filesOf(value);
          const table = tableOf(value);
          if (files.length > 0 || table) {
            return (
              // oxlint-disable-next-line react/no-array-index-key -- two facts may have one name, and none ever moves
              <div key={index} data-long>
                <dt>{label}</dt>
                <dd>{table ? <FactTable label={label} table={table} /> : <FileLines files={files} below open={open} />}</dd>
              </div>
            );
          }
          const text = factText(value);
          return (
            // oxlint-disable-next-line react/no-array-index-key -- two facts may have one name, and none ever moves
            <div key={index} data-long={text.length > LONG || text.includes("\n")}>
              <dt>{label}</dt>
              <dd>{text}</dd>
            </div>
          );
        })}
      </dl>
    </section>
  );
}
