import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { api } from "../../api/client";
import { useVersion, workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import { useTold } from "../../api/told";
import type { Workflow } from "../../api/types";
import type { CanvasHandle } from "../../canvas";
import { type EditorStore, type Json, normaliseDocument, parseExact } from "../../graph";
import { type EditorEnvironment, EditorProvider, type FormulaFunction } from "../../inspector/EditorContext";
import { RunStoreProvider } from "../../live";
import type { Autosave } from "./autosave";
import { CanvasArea } from "./CanvasArea";
import { ConflictDialog } from "./ConflictDialog";
import { Dialogs } from "./Dialogs";
import css from "./editor.module.css";
import { EditorBars, LeaveQuestion } from "./EditorBars";
import { EditorHeader, OutlineHead } from "./EditorHeader";
import type { LocalDraft } from "./localDraft";
import { HoldBar } from "../workflow/HoldBar";
import { Outline } from "./Outline";
import { SidePanel } from "./SidePanel";
import type { EditorTab } from "./tabs";
import { useTestRun } from "./testRun";
import { TestSteps } from "./TestView";
import { tabOf, ui, useUi } from "./uiStore";
import { useChanges, useEditorWidth } from "./useEditorParts";
import { type EditorCommands, useEditorKeys } from "./useEditorKeys";
import { useGuards } from "./useGuards";

export interface EditorScreenProps {
  workflow: Workflow;
  store: EditorStore;
  autosave: Autosave;
  local: LocalDraft;
  tab: EditorTab;
}

export function EditorScreen({ workflow, store, autosave, local, tab }: EditorScreenProps) {
  const { t } = useTranslation(["editor", "canvas"]);
  const workspace = useWorkspace();
  const path = `${workspacePath(workspace.id)}/workflows/${workflow.id}`;
  const canvas = useRef<CanvasHandle | null>(null);
  const paletteSearch = useRef<HTMLInputElement | null>(null);
  const width = useEditorWidth();
  const test = useTestRun(workspace.id, workflow.id);

  const samples = useQuery({
    queryKey: [workspace.id, "samples", workflow.id],
    queryFn: async ({ signal }) => {
      const answer = await api.get<{ samples: Record<string, Json> }>(`${path}/samples`, { signal, parse: parseExact });
      return answer.samples;
    },
    staleTime: 30_000,
    retry: 1,
  });
  const told = useTold();
  const functions = useQuery({
    queryKey: [workspace.id, "functions"],
    queryFn: async ({ signal }) => {
      const answer = await api.get<FormulaFunction[] | { items: FormulaFunction[] }>(`${workspacePath(workspace.id)}/functions`, { signal });
      return Array.isArray(answer) ? answer : answer.items;
    },
    select: told.functions<FormulaFunction>,
    staleTime: Number.POSITIVE_INFINITY,
    retry: 1,
  });
  const live = useVersion(workflow.id, workflow.live?.version ?? null);
  const liveGraph = useMemo(() => (live.data?.graph ? normaliseDocument(live.data.graph) : null), [live.data]);
  const changes = useChanges(store, liveGraph);

  const commands = useRef<EditorCommands | null>(null);
  const environment = useMemo<EditorEnvironment>(
    () => ({
      store,
      workspace: workspace.id,
      workflow: workflow.id,
      timeZone: workspace.time_zone,
      samples: samples.data ?? {},
      functions: functions.data ?? [],
      goTo(node, field = null) {
        store.select([node]);
        ui.set({ panelOpen: true, panelTab: tabOf(field), focusField: { node, field, stamp: Date.now() }, outline: false });
        canvas.current?.reveal(node, field === null);
      },
      test: () => ui.set({ dialog: "test" }),
      addUndo: (step, place) => commands.current?.addUndo(step, place),
      remove: () => commands.current?.remove(),
    }),
    [store, workspace.id, workspace.time_zone, workflow.id, samples.data, functions.data],
  );

  useUrlSelection(store);
  useGuards({ store, autosave, local });
  const keys = useEditorKeys({ store, autosave, canvas, paletteSearch, goTo: environment.goTo });
  useEffect(() => {
    commands.current = keys;
  }, [keys]);
  const announcement = useStore(store, (state) => state.announcement);
  const outline = useUi((state) => state.outline) || width < 900;

  useEffect(() => {
    // What is shown is the test: nothing is built until it is put away.
    store.setLock("test", test.shown);
    return () => store.setLock("test", false);
  }, [store, test.shown]);
  useEffect(() => {
    document.title = `${t("tabs.build")} · ${workflow.name} · Millrace`;
  }, [t, workflow.name]);
  const takeOver = (): void => {
    tab.takeOver();
    const unlock = (): void => store.setLock("tab", false);
    // Offline nothing newer can be read; a save then finds out.
    autosave.refresh().then(unlock, unlock);
  };

  const readSamplesAgain = samples.refetch;
  useEffect(() => {
    if (test.finished) void readSamplesAgain();
  }, [test.finished, readSamplesAgain]);

  return (
    <EditorProvider value={environment}>
      <RunStoreProvider value={test.store}>
        <div className={css.editor} data-width={width >= 1600 ? "full" : width >= 1280 ? "wide" : width >= 900 ? "medium" : "narrow"}>
          <EditorHeader workflow={workflow} autosave={autosave} changes={changes} room={width >= 1240 ? "all" : width >= 1060 ? "some" : width >= 900 ? "little" : "phone"} />
          <HoldBar workflow={workflow} />
          <EditorBars autosave={autosave} onTakeOver={takeOver} />
          <div className={css.main}>
            {outline && test.shown ? (
              <TestSteps test={test} />
            ) : outline ? (
              <Outline
                chips={width < 900 && <OutlineHead workflow={workflow} changes={changes} />}
                keys={keys}
                narrow={width < 900}
                onClose={() => ui.set({ outline: false })}
              />
            ) : (
              <CanvasArea canvas={canvas} paletteSearch={paletteSearch} test={test} changes={changes} docked={width >= 1600} panelOver={width < 1280} keys={keys} />
            )}
            <SidePanel canvas={canvas} sheet={width < 900} />
          </div>
        </div>
        <Dialogs keys={keys} workflow={workflow} autosave={autosave} changes={changes} liveGraph={liveGraph} canvas={canvas} test={test} />
        <ConflictDialog autosave={autosave} />
        <LeaveQuestion autosave={autosave} />
        <output className="srOnly" aria-live="polite">
          {announcement ? t(announcement.key, announcement.params) : ""}
        </output>
      </RunStoreProvider>
    </EditorProvider>
  );
}

/** The selected step stands in the address, so that a link leads to it and Back keeps it. */
function useUrlSelection(store: EditorStore): void {
  const search = useSearch({ strict: false }) as { step?: unknown };
  const navigate = useNavigate();
  const started = useRef(false);
  const selected = useStore(store, (state) => (state.selection.length === 1 ? state.selection[0] : undefined));
  const panel = useUi((state) => state.panelOpen);
  useEffect(() => {
    if (started.current) return;
    started.current = true;
    const { document } = store.getState();
    if (typeof search.step === "string" && document.nodes.some((node) => node.id === search.step)) {
      store.select([search.step]);
      ui.openPanel();
    }
  }, [store, search.step]);
  useEffect(() => {
    if (!started.current) return;
    const step = panel ? selected : undefined;
    void navigate({ to: ".", search: (before: Record<string, unknown>) => ({ ...before, step }), replace: true, resetScroll: false } as never);
  }, [navigate, selected, panel]);
}
