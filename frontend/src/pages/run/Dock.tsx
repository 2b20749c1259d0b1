import { type KeyboardEvent, lazy, type PointerEvent, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import { useRun } from "../../live";
import { SkeletonRows, Switch } from "../../ui";
import page from "../../ui/page.module.css";
import css from "./dock.module.css";
import { useShownGraph } from "./items/shown";
import { Scrubber } from "./Scrubber";
import { Timeline } from "./StepTimes";

const Events = lazy(() => import("./Events"));
const SinceGood = lazy(() => import("./SinceGood"));

export type DockTab = "timeline" | "events" | "changes";
const TABS: readonly DockTab[] = ["timeline", "events", "changes"];
const KEY = "millrace.dock";
const SMALLEST = 120;
/** Eight rows and the edge of a ninth, which says that there are more. */
const USUAL = 292;

function storedHeight(): number {
  try {
    return Number(localStorage.getItem(KEY)) || USUAL;
  } catch {
    return USUAL;
  }
}

function useDockHeight() {
  const [height, setHeight] = useState(storedHeight);
  const change = (next: number) => {
    const fitting = Math.round(Math.max(SMALLEST, Math.min(next, window.innerHeight * 0.6)));
    setHeight(fitting);
    try {
      localStorage.setItem(KEY, String(fitting));
    } catch {
      // Remembered until the page is closed.
    }
  };
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    event.preventDefault();
    const startY = event.clientY;
    const startHeight = height;
    const move = (moved: globalThis.PointerEvent) => change(startHeight + startY - moved.clientY);
    const up = () => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", up);
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", up);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowUp") change(height + 24);
    else if (event.key === "ArrowDown") change(height - 24);
    else return;
    event.preventDefault();
  };
  return { height, onPointerDown, onKeyDown };
}

export interface DockProps {
  tab: DockTab;
  onTab: (tab: DockTab) => void;
  selected: string | null;
  onSelect: (node: string) => void;
}

/** Below the canvas: when each step ran, and what happened in order. */
export function Dock({ tab, onTab, selected, onSelect }: DockProps) {
  const { t } = useTranslation(["runs", "lookback"]);
  const run = useRun((state) => state.run);
  const graph = useShownGraph();
  const steps = useRun((state) => state.steps);
  const { height, onPointerDown, onKeyDown } = useDockHeight();
  const [squeeze, setSqueeze] = useState(false);
  if (!run || !graph) return null;

  return (
    <section className={css.dock} style={{ height }} aria-label={t("dock")}>
      <div
        className={css.handle}
        role="separator"
        aria-orientation="horizontal"
        aria-label={t("dockResize")}
        aria-valuenow={height}
        aria-valuemin={SMALLEST}
        aria-valuemax={800}
        tabIndex={0}
        onPointerDown={onPointerDown}
        onKeyDown={onKeyDown}
      />
      <header className={css.head}>
        <div className={page.segments} role="tablist" aria-label={t("dock")}>
          {TABS.map((key) => (
            <button
              key={key}
              type="button"
              role="tab"
              className={page.segment}
              aria-selected={tab === key}
              onClick={() => onTab(key)}
            >
              {t(key === "changes" ? "lookback:tab" : `tabs.${key}`)}
            </button>
          ))}
        </div>
        <span style={{ flex: 1 }} />
        <Scrubber />
        {tab === "timeline" && (
          <span className={css.squeeze}>
            <Switch checked={squeeze} onChange={setSqueeze} label={t("timeline.squeeze")} />
            <span aria-hidden>{t("timeline.squeeze")}</span>
          </span>
        )}
      </header>
      {tab === "timeline" && <Timeline run={run} graph={graph} selected={selected} onSelect={onSelect} squeeze={squeeze} />}
      {tab === "events" && (
        <Suspense fallback={<SkeletonRows rows={4} height={26} label={t("tabs.events")} />}>
          <Events key={run.id} run={run} graph={graph} steps={steps} onSelect={onSelect} />
        </Suspense>
      )}
      {tab === "changes" && (
        <Suspense>
          <SinceGood run={run} onSelect={onSelect} />
        </Suspense>
      )}
    </section>
  );
}
