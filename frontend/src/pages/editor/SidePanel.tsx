import { lazy, type RefObject, Suspense, useCallback, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import type { CanvasHandle } from "../../canvas";
import { useEditor } from "../../inspector/EditorContext";
import { useSheet } from "../../ui";
import css from "./editor.module.css";
import { loadPanel, useLoadedLater } from "./later";
import { ui, useUi } from "./uiStore";

const StepPanel = lazy(loadPanel);

const WIDTH_KEY = "millrace.panel";
const SMALLEST = 360;
const LARGEST = 640;

function storedWidth(): number {
  try {
    const found = Number(localStorage.getItem(WIDTH_KEY));
    return found >= SMALLEST && found <= LARGEST ? found : 408;
  } catch {
    return 408;
  }
}

/** The step panel: docked right and resizable, a sheet on small screens. */
export function SidePanel({ canvas, sheet }: { canvas: RefObject<CanvasHandle | null>; sheet: boolean }) {
  const { t } = useTranslation("editor");
  useLoadedLater();
  const opened = useUi((state) => state.panelOpen);
  const tab = useUi((state) => state.panelTab);
  const renaming = useUi((state) => state.renaming);
  const focus = useUi((state) => state.focusField);
  const selected = useEditor((state) => (state.selection.length === 1 ? state.selection[0] : undefined));
  const known = useEditor((state) => state.document.nodes.some((node) => node.id === selected));
  const [width, setWidth] = useState(storedWidth);
  const shown = opened && selected !== undefined && known;
  useEffect(() => {
    if (!shown || selected === undefined) return;
    // The canvas has become narrower: the chosen card must stay in sight.
    const timer = setTimeout(() => canvas.current?.reveal(selected), 60);
    return () => clearTimeout(timer);
  }, [shown, selected, canvas]);
  // The focus goes in once there is something to go to.
  const [ready, setReady] = useState(false);
  const trap = useSheet(sheet && shown && ready);
  const toCard = useCallback(() => canvas.current?.focus(), [canvas]);
  if (!shown) return null;
  const resize = (next: number): void => {
    const kept = Math.max(SMALLEST, Math.min(LARGEST, next));
    setWidth(kept);
    try {
      localStorage.setItem(WIDTH_KEY, String(kept));
    } catch {
      // The width then lasts until the page is closed.
    }
  };
  const close = (): void => {
    ui.set({ panelOpen: false });
    canvas.current?.focus();
  };
  return (
    <>
      {sheet && <div className={css.scrim} onClick={close} role="presentation" />}
      <div
        ref={sheet ? trap : undefined}
        className={css.side}
        data-sheet={sheet}
        style={sheet ? undefined : { width }}
        {...(sheet ? { role: "dialog", "aria-modal": true, "aria-label": t("panel.sheet") } : {})}
      >
        {!sheet && (
          <input
            type="range"
            className={css.splitter}
            aria-label={t("panel.resize")}
            min={SMALLEST}
            max={LARGEST}
            step={8}
            value={width}
            onChange={(event) => resize(Number(event.currentTarget.value))}
            onPointerDown={(event) => {
              event.preventDefault();
              event.currentTarget.focus();
              event.currentTarget.setPointerCapture(event.pointerId);
            }}
            onPointerMove={(event) => {
              if (event.currentTarget.hasPointerCapture(event.pointerId)) resize(window.innerWidth - event.clientX);
            }}
          />
        )}
        <Suspense>
          <StepPanel
            key={selected}
            id={selected}
            tab={tab}
            onTab={(next) => ui.set({ panelTab: next })}
            renaming={renaming}
            onRenamed={() => ui.set({ renaming: false })}
            focus={focus}
            onLeave={toCard}
            onClose={close}
          />
          <Ready onReady={setReady} />
        </Suspense>
      </div>
    </>
  );
}

/** Says when what stands beside it has been loaded. */
function Ready({ onReady }: { onReady(ready: boolean): void }) {
  useEffect(() => {
    onReady(true);
    return () => onReady(false);
  }, [onReady]);
  return null;
}
