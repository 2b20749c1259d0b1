import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { usePicker } from "./dataPicker";
import { type FormulaFunction, useEnvironment } from "./EditorContext";
import pick from "./data.module.css";

/** The functions formulas can use, by group, each with an example. */
export function FormulaList({ query }: { query: string }) {
  const { t, i18n } = useTranslation("inspector");
  const { functions } = useEnvironment();
  const wanted = query.trim().toLowerCase();
  const groups = useMemo(() => {
    const found = new Map<string, FormulaFunction[]>();
    for (const entry of functions) {
      if (wanted && !`${entry.name} ${entry.help} ${entry.also ?? ""} ${entry.group}`.toLowerCase().includes(wanted)) continue;
      found.set(entry.group, [...(found.get(entry.group) ?? []), entry]);
    }
    return [...found];
  }, [functions, wanted]);
  if (groups.length === 0) return <p className={pick.flyoutNone}>{wanted ? t("flyout.none", { query }) : t("flyout.noFormulas")}</p>;
  return (
    <div className={pick.flyoutList}>
      {groups.map(([group, entries]) => (
        <section key={group} aria-label={group}>
          <div className={pick.group}>
            <b>{i18n.exists(`formulaGroup.${group}`, { ns: "inspector" }) ? t(`formulaGroup.${group}`) : group}</b>
          </div>
          {entries.map((entry) => (
            <button
              key={entry.name}
              type="button"
              className={pick.functionRow}
              title={entry.example ? `${entry.example} → ${typeof entry.result === "string" ? entry.result : JSON.stringify(entry.result)}` : entry.help}
              onClick={() => usePicker.getState().target?.insert(`${entry.name}()`, entry.name.length + 1)}
            >
              <code>{entry.signature}</code>
              <span>{entry.help}</span>
            </button>
          ))}
        </section>
      ))}
    </div>
  );
}
