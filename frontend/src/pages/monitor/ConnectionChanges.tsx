import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import type { MonitorShape } from "../../api/schema.gen";
import { Chip, sectionTitleClass, Time } from "../../ui";
import css from "./monitor.module.css";

const SHOWN = 8;

/** What changed at connections within the range: the broken lines in the charts, as a list. */
export function ConnectionChanges({ found }: { found: MonitorShape }) {
  const { t } = useTranslation("monitor");
  const changes = found.connection_changes;
  if (changes.length === 0) return null;
  return (
    <section className={css.list} aria-labelledby="connection-changes">
      <h2 id="connection-changes" className={sectionTitleClass}>
        {t("connections.title")}
      </h2>
      <ul className={css.rows}>
        {changes.slice(0, SHOWN).map((one) => (
          <li key={`${one.at}${one.name}${one.change}`}>
            <Chip tone={one.change === "broken" ? "err" : one.change === "repaired" ? "ok" : "idle"}>{t(`connections.change.${one.change}`)}</Chip>
            <div>
              <Link to="/connections">{one.name}</Link>
              <small>
                <Time at={one.at} />
                {one.by ? ` · ${one.by}` : ""}
              </small>
            </div>
          </li>
        ))}
      </ul>
      {changes.length > SHOWN && <p className={css.chartEmpty}>{t("connections.more", { count: changes.length - SHOWN })}</p>}
    </section>
  );
}
