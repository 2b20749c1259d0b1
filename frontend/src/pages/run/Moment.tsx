/** The moment of a run that is looked back on, for everything on its page that can show one. */
import { useQuery } from "@tanstack/react-query";
import { History } from "lucide-react";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { playbackQuery } from "../../api/lookingBack";
import { useWorkspace } from "../../api/session";
import { createRunStore, joined, type RunState, type RunStore, RunStoreProvider, useRun, useRunStore } from "../../live";
import { Button, runIsFinished, runStatusKind, StatusIcon, useFormatter } from "../../ui";
import { type Film, filmOf, type Pace, type Reel, reelOf, stateAt } from "./film";
import { useOpened } from "./items/opened";
import css from "./moment.module.css";

export interface MomentState {
  /** ms since the epoch; null: how it stands now. */
  at: number | null;
  playing: boolean;
  pace: Pace;
  film: Film | null;
  reel: Reel | null;
  loading: boolean;
  failed: boolean;
  /** Has the film fetched, before it is looked at. */
  want(): void;
  show(at: number | null): void;
  play(on: boolean): void;
  setPace(pace: Pace): void;
  again(): void;
}

const nothing = () => undefined;
const Context = createContext<MomentState>({
  at: null, playing: false, pace: "skip", film: null, reel: null, loading: false, failed: false, want: nothing, show: nothing, play: nothing, setPace: nothing, again: nothing,
});

export function useMoment(): MomentState {
  return useContext(Context);
}

/** The film of a run, kept as it was fetched while it is looked at: what happens meanwhile is not part of it. */
function useFilm(run: string | null, seq: number, wanted: boolean) {
  const workspace = useWorkspace().id;
  const found = useQuery({ ...playbackQuery(workspace, run ?? "", seq), enabled: wanted && run !== null });
  const film = useMemo(() => (found.data ? filmOf(found.data) : null), [found.data]);
  return { ...found, film };
}

/** Stands inside the provider of the run that is shown. */
export function MomentProvider({ children }: { children: ReactNode }) {
  const run = useRun((state) => state.run);
  const [wanted, setWanted] = useState<number | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const [playing, setPlaying] = useState(false);
  const [pace, setPace] = useState<Pace>("skip");
  const latest = useRef(run);
  useEffect(() => {
    latest.current = run;
  });
  const { film, isFetching, isError, refetch } = useFilm(run?.id ?? null, wanted ?? 0, wanted !== null);
  const [opened, setOpened] = useState(() => Date.now());
  const over = run !== null && runIsFinished(run);
  // Of a run that has ended, its last event is its end; an open one goes on until it was opened to be looked at.
  const reel = useMemo(() => film && reelOf(film.moments, over ? 0 : opened), [film, over, opened]);

  const looking = at !== null;
  const want = useCallback(() => {
    const seq = latest.current?.seq ?? 0;
    // What is looked at stays the film that it is.
    if (looking || wanted === seq) return;
    setOpened(Date.now());
    setWanted(seq);
  }, [looking, wanted]);
  const show = useCallback(
    (next: number | null) => {
      setAt(next === null || (reel !== null && next >= reel.until) ? null : next);
      if (next === null) setPlaying(false);
    },
    [reel],
  );
  const play = useCallback(
    (on: boolean) => {
      if (!on || !reel) {
        setPlaying(false);
        return;
      }
      setAt((before) => before ?? reel.from);
      setPlaying(true);
    },
    [reel],
  );

  useEffect(() => {
    if (!playing || !reel) return;
    let frame = 0;
    let last = performance.now();
    const tick = (time: number): void => {
      // A tab that was not looked at goes on where it stood.
      const watched = Math.min(250, time - last);
      // Ten states a second are as many as anybody follows.
      if (watched >= 100) {
        last = time;
        setAt((before) => {
          // The end is there, and what plays has not heard of it yet.
          if (before === null) return null;
          const next = reel.after(before, watched, pace);
          return next >= reel.until ? null : next;
        });
      }
      frame = requestAnimationFrame(tick);
    };
    frame = requestAnimationFrame(tick);
    return () => cancelAnimationFrame(frame);
  }, [playing, reel, pace]);
  useEffect(() => {
    // It has come to the end.
    if (at === null) setPlaying(false);
  }, [at]);

  const again = useCallback(() => void refetch(), [refetch]);
  const value = useMemo<MomentState>(
    () => ({ at, playing, pace, film, reel, loading: isFetching, failed: isError, want, show, play, setPace, again }),
    [at, playing, pace, film, reel, isFetching, isError, want, show, play, again],
  );
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

/** How a run stood; null while the moment is now, or its film is not here yet. */
function stateOf({ run, graph, steps }: RunState, film: Film | null, at: number | null, before: RunState): RunState | null {
  return at === null || !film || !run || !graph ? null : stateAt(film, { run, graph, steps }, at, before);
}

/** The films of the opened items, by their runs, while a moment is looked at; fetched one after the other. */
function useItemFilms(): ReadonlyMap<string, Film> {
  const { at } = useMoment();
  const { items, stores } = useOpened();
  const [films, setFilms] = useState<ReadonlyMap<string, Film>>(() => new Map());
  const next = at === null ? null : (Object.values(items).find((item) => !films.has(item.run))?.run ?? null);
  const seq = [...stores.values()].find((store) => store.getState().run?.id === next)?.getState().run?.seq ?? 0;
  const { film } = useFilm(next, seq, next !== null);
  useEffect(() => {
    if (next !== null && film) setFilms((before) => new Map(before).set(next, film));
  }, [next, film]);
  return films;
}

/**
 * Shows what is inside as it stood at the moment that is looked back on, with the items that are opened. `main`: the run
 * that is shown, where what stands around has laid them over it already.
 */
export function AtMoment({ main: given, children }: { main?: RunStore; children: ReactNode }) {
  const { at, film } = useMoment();
  const live = useRunStore();
  const main = given ?? live;
  const { stores } = useOpened();
  const films = useItemFilms();
  const shown = useMemo(() => createRunStore(), []);
  const now = useStore(main);
  const past = useMemo(() => {
    const before = shown.getState();
    const run = stateOf(now, film, at, before);
    if (!run || at === null) return null;
    const inside = [...stores.values()].flatMap((store) => {
      const item = store.getState();
      const found = stateOf(item, (item.run && films.get(item.run.id)) ?? null, at, before);
      const begun = item.run?.started_at;
      return found && begun && Date.parse(begun) <= at ? [found] : [];
    });
    return joined(run, inside);
  }, [shown, now, film, at, stores, films]);
  // Nobody reads it yet when it is first filled; later it changes once all have been drawn.
  if (past && shown.getState().run === null) shown.setState(past, true);
  useLayoutEffect(() => {
    if (past) shown.setState(past, true);
  }, [shown, past]);
  return <RunStoreProvider value={past ? shown : live}>{children}</RunStoreProvider>;
}

/** On the canvas: that it shows a moment that is over, which, and the way back. */
export function MomentBar() {
  const { t } = useTranslation(["lookback", "common"]);
  const { at, reel, film, show } = useMoment();
  const format = useFormatter();
  const run = useRun((state) => state.run);
  const graph = useRun((state) => state.graph);
  const steps = useRun((state) => state.steps);
  if (at === null || !reel || !film || !run || !graph) return null;
  const status = stateAt(film, { run, graph, steps }, at).run ?? run;
  const kind = runStatusKind(status);
  return (
    <div className={css.bar} data-testid="moment-bar">
      <History size={15} aria-hidden />
      <span>
        {t("bar.as")} <b className="tn">{format.clockMillis(at)}</b> <small className="tn">+{format.duration(at - reel.from)}</small>
      </span>
      <span className={css.status}>
        <StatusIcon kind={kind} size={14} decorative />
        {t(`common:status.${kind}`)}
      </span>
      <Button size="sm" variant="soft" onClick={() => show(null)}>
        {t(runIsFinished(run) ? "bar.end" : "bar.live")}
      </Button>
    </div>
  );
}

/** In the panel of a step: its values are those of now. */
export function MomentNote() {
  const { t } = useTranslation("lookback");
  const { at } = useMoment();
  const format = useFormatter();
  return at === null ? null : <p className={css.panelNote}>{t("panel", { time: format.clockSeconds(at) })}</p>;
}
