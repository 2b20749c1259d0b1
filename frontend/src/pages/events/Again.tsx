import { Link } from "@tanstack/react-router";
import { Copy, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { RepeatShape } from "../../api/schema.gen";
import { Card, Chip, More, sectionTitleClass, Time } from "../../ui";
import css from "./events.module.css";
import type { useAgain } from "./queries";

/** Deliveries whose key had come before: they have no event of their own, and started nothing either. */
export function Again({ found, onOpen }: { found: ReturnType<typeof useAgain>; onOpen: (event: string) => void }) {
  const { t } = useTranslation("events");
  const items = found.data?.pages.flatMap((page) => page.items) ?? [];
  if (items.length === 0) return null;
  return (
    <section className={css.page} aria-labelledby="came-again">
      <h2 id="came-again" className={sectionTitleClass}>
        {t("again.title")}
      </h2>
      <Card>
        <ul className={css.list} aria-label={t("again.title")}>
          {items.map((one) => (
            <Row key={one.id} repeat={one} onOpen={() => onOpen(one.event_id)} />
          ))}
        </ul>
      </Card>
      <More of={found}>{t("more")}</More>
    </section>
  );
}

function Row({ repeat, onOpen }: { repeat: RepeatShape; onOpen: () => void }) {
  const { t } = useTranslation("events");
  const conflict = repeat.kind === "conflict";
  return (
    <li className={css.row}>
      <Chip tone={conflict ? "err" : "idle"} icon={conflict ? <TriangleAlert size={13} aria-hidden /> : <Copy size={13} aria-hidden />}>
        {t(`again.kind.${repeat.kind}`)}
      </Chip>
      <div className={css.what}>
        <button type="button" className={css.open} onClick={onOpen}>
          {t(`source.${repeat.source}`, { defaultValue: repeat.source })} <Time at={repeat.received_at} />
        </button>
        <small>
          {[t(`again.why.${repeat.kind}`), repeat.key && t("key", { key: repeat.key.replace(/^start:/, "") })].filter(Boolean).join(" · ")}
        </small>
      </div>
      {repeat.run_id && (
        <Link to="/runs/$runId" params={{ runId: repeat.run_id }} className={css.link}>
          {t("again.first")}
        </Link>
      )}
    </li>
  );
}
