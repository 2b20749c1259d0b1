import { Link } from "@tanstack/react-router";
import { Copy, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { FiguresShape, RepeatShape } from "../../api/schema.gen";
import { Card, Chip, EmptyState, ErrorCard, FilterChip, More, sectionTitleClass, SelectField, SkeletonRows, Time, useFormatter } from "../../ui";
import { DAYS, type Kind, useFigures, useRepeats } from "./queries";
import css from "./starts.module.css";

/** How much of what was delivered had come before, and each of those deliveries. */
export function Repeats({ workflow }: { workflow: string }) {
  const { t } = useTranslation("starts");
  const [days, setDays] = useState(7);
  const [kind, setKind] = useState<Kind | null>(null);
  const figures = useFigures(workflow, days);
  const found = useRepeats(workflow, kind);
  const items = found.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Card padded className={css.section}>
      <div className={css.head}>
        <h2 className={sectionTitleClass}>{t("repeats.title")}</h2>
        <SelectField
          label={t("repeats.since")}
          value={String(days)}
          options={DAYS.map((one) => ({ value: String(one), label: t("repeats.days", { count: one }) }))}
          onChange={(value) => setDays(Number(value))}
        />
      </div>
      <p className={css.quiet}>{t("repeats.text")}</p>
      {figures.isError && <ErrorCard title={t("repeats.figuresFailed")} error={figures.error} onRetry={() => void figures.refetch()} />}
      {figures.data && <Figures figures={figures.data} />}
      <div className={css.filters} role="group" aria-label={t("repeats.filter")}>
        {([null, "duplicate", "conflict"] as const).map((one) => (
          <FilterChip key={one ?? "all"} on={kind === one} onClick={() => setKind(one)}>
            {t(`repeats.kinds.${one ?? "all"}`)}
          </FilterChip>
        ))}
      </div>
      {found.isPending && <SkeletonRows rows={3} label={t("repeats.loading")} />}
      {found.isError && <ErrorCard title={t("repeats.failed")} error={found.error} onRetry={() => void found.refetch()} />}
      {found.data && items.length === 0 && <EmptyState plain title={t(`repeats.none.${kind ?? "all"}`)} text={t("repeats.noneText")} />}
      {items.length > 0 && (
        <ul className={css.list} aria-label={t("repeats.list")}>
          {items.map((one) => (
            <RepeatRow key={one.id} repeat={one} />
          ))}
        </ul>
      )}
      <More of={found}>{t("repeats.more")}</More>
    </Card>
  );
}

function Figures({ figures }: { figures: FiguresShape }) {
  const { t } = useTranslation("starts");
  const format = useFormatter();
  const shown = [
    ["received", format.number(figures.received)],
    ["duplicates", format.number(figures.duplicates)],
    ["conflicts", format.number(figures.conflicts)],
    ["rate", format.number(figures.rate, { style: "percent", maximumFractionDigits: 1 })],
  ] as const;
  return (
    <dl className={css.figures}>
      {shown.map(([name, value]) => (
        <div key={name} data-testid={`figure-${name}`} data-tone={name === "conflicts" && figures.conflicts > 0 ? "err" : undefined}>
          <dt>{t(`figures.${name}`)}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function RepeatRow({ repeat }: { repeat: RepeatShape }) {
  const { t } = useTranslation("starts");
  const conflict = repeat.kind === "conflict";
  return (
    <li className={css.row}>
      <Chip tone={conflict ? "err" : "idle"} icon={conflict ? <TriangleAlert size={12} aria-hidden /> : <Copy size={12} aria-hidden />}>
        {t(`repeats.kind.${conflict ? "conflict" : "duplicate"}`)}
      </Chip>
      <div className={css.what}>
        <span className="mono">{repeat.key?.replace(/^start:/, "") ?? ""}</span>
        <small>
          {t("repeats.first")} <Time at={repeat.first_received_at} />
        </small>
      </div>
      <span className={css.when}>
        <Time at={repeat.received_at} />
      </span>
      {repeat.run_id && (
        <Link to="/runs/$runId" params={{ runId: repeat.run_id }} className={css.link}>
          {t("repeats.run")}
        </Link>
      )}
    </li>
  );
}
