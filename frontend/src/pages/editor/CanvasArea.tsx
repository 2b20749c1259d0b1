import { Plus } from "lucide-react";
import { type RefObject, useCallback, useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { useConnections } from "../../api/queries";
import { type BuildActions, type CanvasHandle, FlowCanvas, ZoomBar } from "../../canvas";
import {
  addNote, addStep, arrange, type Anchor, type Change, connect, dropSteps, type GraphDocument, type GraphNode, indexOf, isEmptyContainer, nextStart, operations, refusal, type StepSpec, tidyPositions,
} from "../../graph";
import { useEditor, useEnvironment } from "../../inspector/EditorContext";
import { FLYOUT_WIDTH, liesBeside, usePicker } from "../../inspector/dataPicker";
import { Button, showToast } from "../../ui";
import css from "./editor.module.css";
import { useLayer } from "./layers";
import { Palette } from "./Palette";
import { freeNotePlace } from "./notePlace";
import { prefilled } from "./prefill";
import { ProblemsBar } from "./ProblemsBar";
import { QuickAdd, StepChooser } from "./QuickAdd";
import { sayCut } from "./sayCut";
import { StepMenu } from "./StepMenu";
import type { TestRun } from "./testRun";
import { TestBar } from "./TestView";
import { ui, useUi } from "./uiStore";
import type { EditorCommands } from "./useEditorKeys";

export interface CanvasAreaProps {
  canvas: RefObject<CanvasHandle | null>;
  paletteSearch: RefObject<HTMLInputElement | null>;
  test: TestRun;
  changes: readonly Change[] | null;
  /** The palette has a place of its own. */
  docked: boolean;
  /** The panel lies over the canvas. */
  panelOver: boolean;
  keys: EditorCommands;
}

export function CanvasArea({ canvas, paletteSearch, test, changes, docked, panelOver, keys }: CanvasAreaProps) {
  const { t } = useTranslation(["editor", "canvas"]);
  const { store, timeZone } = useEnvironment();
  const connections = useConnections();
  const document = useEditor((state) => state.document);
  const specs = useEditor((state) => state.specs);
  const summaries = useEditor((state) => state.summaries);
  const problems = useEditor((state) => state.problems);
  const selection = useEditor((state) => state.selection);
  const selectedLinks = useEditor((state) => state.selectedLinks);
  const readOnly = useEditor((state) => state.readOnly);
  const quickAdd = useUi((state) => state.quickAdd);
  const menu = useUi((state) => state.menu);
  const paletteOpen = useUi((state) => state.palette);
  const minimap = useUi((state) => state.minimap);
  const panelOpen = useUi((state) => state.panelOpen);
  const [tidying, setTidying] = useState(false);

  const add = useCallback(
    (spec: StepSpec, anchor: Anchor | null) => {
      const { selection: chosen, document: now } = store.getState();
      const source = chosen.length === 1 ? now.nodes.find((node) => node.id === chosen[0]) : lastOf(now);
      // An empty container is waiting for its first step.
      const empty = chosen.length === 1 && source !== undefined && isEmptyContainer(now, store.getState().specs, source.id);
      const where: Anchor = anchor ?? (empty && !spec.trigger ? { kind: "inside", container: source.id } : source && !spec.trigger ? { kind: "after", source: source.id } : { kind: "free", position: nextStart(now, store.getState().specs) });
      const id = addStep(store, prefilled(spec, { timeZone, connections: connections.data ?? [] }), where);
      ui.set({ quickAdd: null, palette: false, panelOpen: true, panelTab: "setup", focusField: { node: id, field: "", stamp: Date.now() } });
      requestAnimationFrame(() => canvas.current?.reveal(id));
    },
    [store, canvas, timeZone, connections.data],
  );

  const build = useMemo<BuildActions>(
    () => ({
      connect: (source, handle, target) => connect(store, source, handle, target),
      refusal: (link) => {
        const { document: now, specs: known } = store.getState();
        return refusal(now, known, link);
      },
      addFrom: (source, handle, place) =>
        ui.quickAdd({ kind: "after", source, handle, ...(place.position ? { position: place.position } : {}) }, place),
      insertInto: (edge, place) => ui.quickAdd({ kind: "link", edge }, place),
      addAt: (position, place, inside) => ui.quickAdd({ kind: "free", position, inside }, place),
      addInside: (container, place) => ui.quickAdd({ kind: "inside", container }, place),
      move: (positions) => sayCut(dropSteps(store, positions), t),
      open: (node) => ui.edit(node),
      click: () => {
        // Where the panel would lie over the canvas, it takes a second click.
        if (window.innerWidth >= 1280) ui.openPanel(ui.get().panelTab);
      },
      menu: (node, place) => {
        store.select([node]);
        ui.set({ menu: { node, place } });
      },
      changeNote: (id, changed) =>
        void store.edit({ key: "history.note", params: {} }, (draft) => operations.changeNote(draft, id, changed), { group: `note:${id}` }),
      explain: (reason) => void showToast({ title: t(`canvas:${reason.key}`, reason.params), tone: "info" }),
    }),
    [store, t],
  );

  const tidy = useCallback(async () => {
    setTidying(true);
    try {
      arrange(store, await tidyPositions(store.getState().document, store.getState().specs));
      requestAnimationFrame(() => canvas.current?.fit());
    } catch {
      showToast({ title: t("tidyFailed"), tone: "err" });
    } finally {
      setTidying(false);
    }
  }, [canvas, store, t]);
  useEffect(() => {
    keys.provide({
      tidy: () => void tidy(),
      note: () => {
        const id = addNote(store, freeNotePlace(store.getState().document, store.getState().specs, canvas.current?.centre() ?? { x: 0, y: 0 }));
        requestAnimationFrame(() => canvas.current?.reveal(id));
      },
      leaveTest: test.shown ? test.hide : null,
    });
  }, [keys, tidy, store, canvas, test.shown, test.hide]);

  const changed = useMemo(
    () => new Set((changes ?? []).flatMap((change) => (change.node !== null && change.kind !== "moved" ? [change.node] : []))),
    [changes],
  );
  const picking = usePicker((state) => state.target !== null && state.dismissed !== state.target.id);
  const insets = { bottom: 104, top: test.shown ? 64 : 0, right: (panelOver && panelOpen ? 408 : 0) + (picking && liesBeside(window.innerWidth - 408) ? FLYOUT_WIDTH : 0) };
  const chosen = selection.length === 1 ? selection[0] : undefined;
  useEffect(() => {
    // The chosen card stays clear of the list of data that has opened beside the panel.
    if (picking && chosen !== undefined) canvas.current?.reveal(chosen);
  }, [picking, chosen, canvas]);
  const closeQuickAdd = useCallback(() => {
    ui.set({ quickAdd: null });
    keys.toMain();
  }, [keys]);
  useLayer(!docked && paletteOpen, () => {
    ui.set({ palette: false });
    keys.toMain();
  });
  const blank = document.nodes.length === 0 && !readOnly;

  return (
    <>
      {docked && !readOnly && <Palette canvas={canvas} search={paletteSearch} onAdd={add} />}
      <section className={css.canvasArea} aria-label={t("canvasRegion")}>
        <FlowCanvas
          mode={test.shown ? "run" : "build"}
          graph={document}
          specs={specs}
          summaries={summaries}
          problems={problems}
          selected={selection}
          selectedLinks={selectedLinks}
          onSelection={(nodes, links) => store.select(nodes, links)}
          readOnly={readOnly || test.shown}
          insets={insets}
          build={build}
          changed={changed}
          handle={canvas}
          label={t("canvasLabel", { count: document.nodes.length })}
          minimap={minimap}
          follow={test.shown ? (test.run?.current_step?.node ?? null) : null}
        >
          <ZoomBar
            onFit={() => canvas.current?.fit()}
            onTidy={readOnly || test.shown ? undefined : () => void tidy()}
            tidying={tidying}
            onOutline={() => ui.set({ outline: true })}
          />
        </FlowCanvas>
        {!docked && !readOnly && !test.shown && (
          <Button className={css.addButton} icon={<Plus size={16} aria-hidden />} onClick={() => ui.set({ palette: !paletteOpen })} aria-expanded={paletteOpen}>
            {t("addStep")}
          </Button>
        )}
        {!docked && paletteOpen && !readOnly && (
          <div className={css.paletteDrawer}>
            <Palette canvas={canvas} search={paletteSearch} onAdd={add} />
          </div>
        )}
        {blank && (
          <div className={css.blank}>
            <h2>{t("start.question")}</h2>
            <StepChooser anchor={{ kind: "free", position: { x: 0, y: 0 } }} onPick={(spec) => add(spec, { kind: "free", position: { x: 0, y: 0 } })} />
          </div>
        )}
        {test.shown && <TestBar test={test} over />}
        {!blank && <ProblemsBar />}
      </section>
      {quickAdd && <QuickAdd anchor={quickAdd.anchor} place={quickAdd.place} onPick={(spec) => add(spec, quickAdd.anchor)} onClose={closeQuickAdd} />}
      {menu && <StepMenu node={menu.node} place={menu.place} keys={keys} />}
    </>
  );
}

/** The step that a new one follows when nothing is selected: the lowest one. */
function lastOf(document: GraphDocument): GraphNode | undefined {
  const { undoes } = indexOf(document);
  return document.nodes.filter((node) => node.parent === undefined && !undoes.has(node.id)).sort((a, b) => b.position.y - a.position.y)[0];
}
