import { Clock, Hourglass, TrendingDown } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { Batch } from "../../api/batches";
import { useFormatter, useNow } from "../../ui";
import { limitWords } from "../../ui/limitWords";
import css from "./batch.module.css";
import { etaOf, PARTS, partsOf, receivedOf } from "./numbers";

/** What comes sooner needs no day. */
const SOON = 20 * 60 * 60 * 1000;

/** How far it is: one bar, its numbers, the pace, and when it is likely to be done. */
export function Progress({ batch }: { batch: Batch }) {
  const { t } = useTranslation(["batches", "common"]);
  const format = useFormatter();
  const now = useNow(batch.finished_at === null ? 1_000 : null);
  const parts = partsOf(batch);
  const all = receivedOf(batch);
  const eta = etaOf(batch, now);
  const shown = PARTS.filter((part) => parts[part] > 0 || part === "done");
  const ended = parts.done + parts.failed + parts.skipped + parts.left_out;
  const took = batch.started_at && batch.finished_at ? format.duration(Date.parse(batch.ended_last ?? batch.finished_at) - Date.parse(batch.started_at)) : null;
  return (
    <section className={css.card} aria-label={t("progress.title")}>
      <div className={css.figures}>
        <p className={css.big}>
          <b className="tn">{format.number(ended)}</b> {batch.total === null ? t("progress.soFar") : t("progress.of", { total: format.number(all) })}
        </p>
        <p className={css.pace}>
          {batch.finished_at === null && batch.per_minute !== null && <span>{t("progress.rate", { count: Math.round(batch.per_minute), number: format.number(Math.round(batch.per_minute)) })}</span>}
          {eta && <span>{t("progress.eta", { at: format.clock(eta.at), spread: format.duration(eta.spread) })}</span>}
          {took && <span>{t("progress.took", { time: took })}</span>}
        </p>
      </div>
      <div className={css.bar} role="progressbar" aria-label={t("progress.title")} aria-valuemin={0} aria-valuemax={all} aria-valuenow={ended}>
        {PARTS.map((part) => parts[part] > 0 && <span key={part} data-part={part} style={{ flexGrow: parts[part] }} />)}
      </div>
      <ul className={css.legend}>
        {shown.map((part) => (
          <li key={part} data-part={part}>
            <span aria-hidden />
            {t(`part.${part}`)} <b className="tn">{format.number(parts[part])}</b>
          </li>
        ))}
      </ul>
      {batch.slowing && (
        <p className={css.turns} data-testid="slowing">
          <TrendingDown size={14} aria-hidden />
          {t("progress.slowing", { system: batch.slowing.system || t("progress.callsOf", { step: batch.slowing.step }), now: format.duration(batch.slowing.now_ms), usual: format.duration(batch.slowing.usual_ms) })}
        </p>
      )}
      {batch.goes_on_at && (
        <p className={css.turns}>
          <Clock size={14} aria-hidden />
          {t("progress.goesOn", { time: Date.parse(batch.goes_on_at) - now < SOON ? format.clock(batch.goes_on_at) : format.dayClock(batch.goes_on_at) })}
        </p>
      )}
      {batch.turns.map((turns) => (
        <p key={turns.connection} className={css.turns}>
          <Hourglass size={14} aria-hidden />
          {turns.paused_until
            ? t("progress.turnsPaused", { count: turns.count, number: format.number(turns.count), name: turns.connection_name, time: format.clockOf(turns.paused_until, now) })
            : t("progress.turns", { count: turns.count, number: format.number(turns.count), name: turns.connection_name, limit: limitWords(turns, t, (value) => format.number(value)) })}
        </p>
      ))}
      <Throughput points={batch.points} />
    </section>
  );
}

const HEIGHT = 44;
const WIDTH = 8;

/** How many ended in each minute. */
function Throughput({ points }: { points: Batch["points"] }) {
  const { t } = useTranslation("batches");
  const format = useFormatter();
  // Two of them tell less than the words above.
  if (points.length < 3) return null;
  const first = Date.parse((points[0] as { at: string }).at);
  const last = Date.parse((points.at(-1) as { at: string }).at);
  const minutes = Math.min(60, (last - first) / 60_000 + 1);
  const most = Math.max(...points.map((point) => point.count));
  return (
    <figure className={css.chart}>
      <svg viewBox={`0 0 ${minutes * WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={t("progress.chart", { most: format.number(most) })}>
        {points.map((point) => {
          const at = (Date.parse(point.at) - last) / 60_000 + minutes - 1;
          const height = Math.max(1, (point.count / most) * (HEIGHT - 2));
          return at < 0 ? null : <rect key={point.at} x={at * WIDTH + 1} y={HEIGHT - height} width={WIDTH - 2} height={height} />;
        })}
      </svg>
      <figcaption>
        <span>{format.clock(first)}</span>
        <span>{t("progress.perMinute", { most: format.number(most) })}</span>
        <span>{format.clock(last)}</span>
      </figcaption>
    </figure>
  );
}
