import { Pause, Play } from "lucide-react";
import { type KeyboardEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useRun } from "../../live";
import { IconButton, runIsFinished, useFormatter } from "../../ui";
import { neighbour, type Pace, stateAt } from "./film";
import { useMoment } from "./Moment";
import css from "./moment.module.css";

const FINE = 1000;
const PACES: readonly Pace[] = ["skip", "1", "10"];

/** Plays the run back on the canvas, or shows it at any moment. */
export function Scrubber() {
  const { t } = useTranslation(["lookback", "common"]);
  const format = useFormatter();
  const { at, playing, pace, film, reel, loading, failed, want, show, play, setPace, again } = useMoment();
  const run = useRun((state) => state.run);
  const graph = useRun((state) => state.graph);
  const steps = useRun((state) => state.steps);
  /** What was asked for before the film was there. */
  const [starts, setStarts] = useState(false);
  const slider = useRef<HTMLInputElement>(null);
  if (starts && reel) {
    setStarts(false);
    play(true);
  }
  if (!run || !graph) return null;
  const share = at === null || !reel ? 1 : reel.share(at);
  const over = runIsFinished(run);
  const now = t(over ? "scrubber.end" : "scrubber.now");
  const told = (): string => {
    if (at === null || !reel || !film) return now;
    const shown = stateAt(film, { run, graph, steps }, at);
    const last = Object.values(shown.steps).reduce<{ node: string; seq: number; status: string } | null>((best, step) => (best === null || step.seq > best.seq ? step : best), null);
    const name = graph.nodes.find((node) => node.id === last?.node)?.name;
    const word = last ? t(`step.${last.status}`) : "";
    return [format.clockSeconds(at), name && `${name}: ${word}`].filter(Boolean).join(", ");
  };
  const toggle = () => {
    want();
    if (playing) play(false);
    else if (reel) play(true);
    else setStarts(true);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Escape" && at !== null) {
      event.preventDefault();
      event.stopPropagation();
      show(null);
      return;
    }
    if (!film || !reel) return;
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (event.key === "Home") show(reel.from);
    else if (event.key === "End") show(null);
    else if (by !== undefined) show(neighbour(film.moments, at, by));
    else return;
    event.preventDefault();
    play(false);
  };
  return (
    <div className={css.scrubber} role="group" aria-label={t("scrubber.label")}>
      <IconButton
        size="sm"
        icon={playing ? <Pause size={15} /> : <Play size={15} />}
        label={t(playing ? "scrubber.pause" : "scrubber.play")}
        busy={starts && loading}
        onClick={toggle}
        onPointerEnter={want}
        onFocus={want}
      />
      <span className={css.words} aria-hidden>
        {t("scrubber.short")}
      </span>
      <input
        ref={slider}
        type="range"
        className={css.slider}
        min={0}
        max={FINE}
        value={Math.round(share * FINE)}
        aria-label={t("scrubber.moment")}
        aria-valuetext={told()}
        style={{ ["--share" as string]: `${share * 100}%` }}
        data-testid="scrubber"
        onPointerEnter={want}
        onPointerDown={want}
        onFocus={want}
        onKeyDown={onKeyDown}
        onChange={(event) => {
          if (!reel) return;
          play(false);
          const wanted = Number(event.currentTarget.value) / FINE;
          show(wanted >= 1 ? null : reel.moment(wanted));
        }}
      />
      <span className={css.clock} aria-hidden>
        {at === null || !reel ? now : `+${format.duration(at - reel.from)}`}
      </span>
      <select className={css.pace} aria-label={t("scrubber.pace")} value={pace} onChange={(event) => setPace(event.currentTarget.value as Pace)}>
        {PACES.map((one) => (
          <option key={one} value={one}>
            {t(`pace.${one}`)}
          </option>
        ))}
      </select>
      {failed && (
        <button type="button" className={css.failed} onClick={again}>
          {t("scrubber.failed")}
        </button>
      )}
    </div>
  );
}
