import { Download, Table2, ChartColumn } from "lucide-react";
import { useId, useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { Button, cx, IconButton, numClass, sectionTitleClass, tableClass, useFormatter } from "../../ui";
import { csvOf, highest, labelled, pathOf, round, saveText, type Series, ticks } from "./chart";
import css from "./monitor.module.css";

export interface Marker {
  at: string;
  text: string;
  /** What has a look of its own: a connection changed, or broke. A version without. */
  kind?: "connection" | "broken";
}

interface ChartProps {
  title: string;
  /** Beginnings of the steps. */
  at: string[];
  series: Series[];
  stacked?: boolean;
  /** The values are lengths of time. */
  time?: boolean;
  markers?: Marker[];
  stepMs: number;
  /** Instead of the picture. */
  empty?: string | null;
  file: string;
}

const HEIGHT = 180;
const TOP = 14;
const BOTTOM = 22;
const LEFT = 62;
const DAY = 86_400_000;

/** A chart with its table: the same numbers in both, whichever is shown. */
export function Chart({ title, at, series, stacked = false, time = false, markers = [], stepMs, empty, file }: ChartProps) {
  const { t } = useTranslation("monitor");
  const format = useFormatter();
  const id = useId();
  const [asTable, setAsTable] = useState(false);
  const number = (value: number | null) => (value === null ? "–" : time ? format.duration(value) : format.number(value));
  const moment = (index: number) => (stepMs >= DAY ? format.day(at[index] ?? 0) : format.dayClock(at[index] ?? 0));
  const save = () =>
    saveText(`${file}.csv`, csvOf([[t("chart.from"), ...series.map((one) => (time ? `${one.name} (ms)` : one.name))], ...at.map((one, index) => [one, ...series.map((line) => line.values[index] ?? null)])]));
  return (
    <section className={css.chart} aria-labelledby={id}>
      <div className={css.chartHead}>
        <h2 id={id} className={sectionTitleClass}>
          {title}
        </h2>
        <span className={css.chartActions}>
          <Button size="sm" variant="quiet" aria-pressed={asTable} icon={asTable ? <ChartColumn size={14} aria-hidden /> : <Table2 size={14} aria-hidden />} onClick={() => setAsTable(!asTable)}>
            {asTable ? t("chart.asPicture") : t("chart.asTable")}
          </Button>
          <IconButton label={t("chart.csv", { title })} icon={<Download size={15} aria-hidden />} onClick={save} />
        </span>
      </div>
      <ul className={css.legend}>
        {series.map((one) => (
          <li key={one.key} data-series={one.key}>
            <span aria-hidden />
            {one.name}
          </li>
        ))}
      </ul>
      {asTable ? (
        // Reached by keyboard to be scrolled.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <div className={css.chartTable} tabIndex={0} role="region" aria-label={t("chart.tableOf", { title })}>
          <table className={tableClass}>
            <thead>
              <tr>
                <th scope="col">{t("chart.from")}</th>
                {series.map((one) => (
                  <th key={one.key} scope="col" className={numClass}>
                    {one.name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {at.map((one, index) => (
                <tr key={one}>
                  <td>{moment(index)}</td>
                  {series.map((line) => (
                    <td key={line.key} className={cx(numClass, "tn")}>
                      {number(line.values[index] ?? null)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : empty ? (
        <p className={css.chartEmpty}>{empty}</p>
      ) : (
        <Picture {...{ title, at, series, stacked, time, markers, stepMs, number, moment }} />
      )}
    </section>
  );
}

interface PictureProps {
  title: string;
  at: string[];
  series: Series[];
  stacked: boolean;
  time: boolean;
  markers: Marker[];
  stepMs: number;
  number: (value: number | null) => string;
  moment: (index: number) => string;
}

function Picture({ title, at, series, stacked, time, markers, stepMs, number, moment }: PictureProps) {
  const { t } = useTranslation("monitor");
  const format = useFormatter();
  const [box, width] = useWidthOf();
  const [chosen, setChosen] = useState<number | null>(null);
  const steps = ticks(highest(series, stacked), time);
  const top = steps.at(-1) ?? 1;
  const inner = Math.max(40, width - LEFT - 8);
  const slot = inner / Math.max(1, at.length);
  const x = (index: number) => LEFT + (index + 0.5) * slot;
  const y = (value: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const begin = Date.parse(at[0] ?? "");
  const shown = chosen !== null && chosen < at.length ? chosen : null;
  const labels = labelled(at, stepMs, Math.max(2, Math.floor(inner / 84)));
  const move = (clientX: number, left: number) => {
    const index = Math.floor((clientX - left - LEFT) / slot);
    setChosen(index >= 0 && index < at.length ? index : null);
  };
  const step = (by: number) => setChosen((before) => Math.min(at.length - 1, Math.max(0, (before ?? (by > 0 ? -1 : at.length)) + by)));
  return (
    <div ref={box} className={css.picture}>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- what it tells stands in the table, too */}
      <svg
        width={width}
        height={HEIGHT}
        role="img"
        // The arrows walk through the steps, as the pointer does.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        aria-label={shown === null ? t("chart.label", { title }) : spoken(shown)}
        onPointerMove={(event) => move(event.clientX, event.currentTarget.getBoundingClientRect().left)}
        onPointerLeave={() => setChosen(null)}
        onBlur={() => setChosen(null)}
        onKeyDown={(event) => {
          if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
            event.preventDefault();
            step(event.key === "ArrowRight" ? 1 : -1);
          } else if (event.key === "Escape") setChosen(null);
        }}
      >
        {steps.map((value) => (
          <g key={value} className={css.grid}>
            <path d={`M${LEFT} ${round(y(value))}H${width - 8}`} />
            <text x={LEFT - 8} y={round(y(value)) + 4} textAnchor="end">
              {time ? format.duration(value) : format.number(value, { notation: value >= 10_000 ? "compact" : "standard" })}
            </text>
          </g>
        ))}
        {labels.map((index) => (
          <text key={index} className={css.axis} x={round(x(index))} y={HEIGHT - 6} textAnchor="middle">
            {tickText(at[index] ?? "", stepMs)}
          </text>
        ))}
        {markers.map((one) => {
          const place = LEFT + ((Date.parse(one.at) - begin) / stepMs) * slot;
          return (
            <g key={`${one.at}${one.text}`} className={css.marker} data-kind={one.kind}>
              <title>{one.text}</title>
              <path d={`M${round(place)} ${TOP}V${HEIGHT - BOTTOM}`} />
              <path d={`M${round(place) - 5} ${TOP - 9}h10l-5 9z`} />
            </g>
          );
        })}
        {stacked
          ? at.map((one, index) => {
              let below = 0;
              return series.map((line) => {
                const value = line.values[index] ?? 0;
                if (value <= 0) return null;
                const from = below;
                below += value;
                return <rect key={`${one}${line.key}`} data-series={line.key} x={round(x(index) - slot * 0.38)} width={round(Math.max(1, slot * 0.76))} y={round(y(below))} height={round(Math.max(1, y(from) - y(below)))} />;
              });
            })
          : series.map((line) => <path key={line.key} className={css.line} data-series={line.key} d={pathOf(line.values, x, y)} />)}
        {shown !== null && <path className={css.cursor} d={`M${round(x(shown))} ${TOP}V${HEIGHT - BOTTOM}`} />}
      </svg>
      {shown !== null && (
        <div className={css.hint} style={{ insetInlineStart: Math.min(Math.max(x(shown) + 10, LEFT), Math.max(LEFT, width - 200)) }} aria-hidden>
          <b>{moment(shown)}</b>
          {series.map((line) => (
            <span key={line.key} data-series={line.key}>
              <i aria-hidden />
              {line.name} <b className="tn">{number(line.values[shown] ?? null)}</b>
            </span>
          ))}
        </div>
      )}
    </div>
  );

  function spoken(index: number): string {
    return `${moment(index)}: ${series.map((line) => `${line.name} ${number(line.values[index] ?? null)}`).join(", ")}`;
  }

  function tickText(value: string, ms: number): string {
    if (ms >= 6 * 3_600_000 || at.length * ms > 2 * DAY) return format.day(value).replace(/,? \d{4}$/, "");
    return format.clock(value);
  }
}

function useWidthOf(): [React.RefObject<HTMLDivElement | null>, number] {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(560);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const look = new ResizeObserver(() => setWidth(Math.max(220, Math.floor(element.clientWidth))));
    look.observe(element);
    setWidth(Math.max(220, Math.floor(element.clientWidth)));
    return () => look.disconnect();
  }, []);
  return [box, width];
}
