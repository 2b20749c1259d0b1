/** Loads what an editor needs, brings back edits kept on this computer, and opens it. */
import { useParams } from "@tanstack/react-router";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import { draftQuery, useNodeTypes, useWorkflow, workspacePath } from "../../api/queries";
import { useCan, useUser, useWorkspace } from "../../api/session";
import type { Draft, SavedDraft, Workflow } from "../../api/types";
import { createEditorStore, type EditorStore, normaliseDocument, parseExact, type Specs } from "../../graph";
import { i18n } from "../../i18n";
import { ErrorCard, PageBody, showToast, SkeletonRows, TopBar } from "../../ui";
import { Autosave } from "./autosave";
import { EditorScreen } from "./EditorScreen";
import { type Kept, LocalDraft, restore } from "./localDraft";
import { EditorTab } from "./tabs";
import { ui } from "./uiStore";

export default function Editor() {
  const { id } = useParams({ from: "/shell/workflows/$id/build" });
  const { t } = useTranslation("editor");
  const workspace = useWorkspace();
  const workflow = useWorkflow(id);
  const specs = useNodeTypes();
  const user = useUser();
  const canBuild = useCan("builder");
  // Read beside the server's answers: a busy disk can take longer than the network.
  const kept = useMemo(() => (canBuild ? new LocalDraft(user.id, workspace.id, id).read() : Promise.resolve(null)), [user.id, workspace.id, id, canBuild]);
  // Always from the server: a cached draft may be older than what was saved since.
  const draft = useQuery({ ...draftQuery(workspace.id, id), staleTime: 0, gcTime: 0, refetchOnWindowFocus: false, refetchOnReconnect: false });
  const failed = workflow.error ?? specs.error ?? draft.error;
  if (failed && !(workflow.data && specs.data && draft.data)) {
    return (
      <>
        <TopBar title={t("title")} />
        <PageBody narrow>
          <ErrorCard
            title={t("loadFailed")}
            error={failed}
            onRetry={() => {
              void workflow.refetch();
              void specs.refetch();
              void draft.refetch();
            }}
          />
        </PageBody>
      </>
    );
  }
  if (!workflow.data || !specs.data || !draft.data) {
    return (
      <>
        <TopBar title={workflow.data?.name ?? t("title")} />
        <SkeletonRows label={t("loading")} rows={5} height={60} />
      </>
    );
  }
  return <Opened key={id} workflow={workflow.data} specs={specs.data as Specs} draft={draft.data} keptEdits={kept} />;
}

interface Open {
  store: EditorStore;
  autosave: Autosave;
  local: LocalDraft;
  tab: EditorTab;
}

interface OpenedProps {
  workflow: Workflow;
  specs: Specs;
  draft: Draft;
  keptEdits: Promise<Kept | null>;
}

/** Makes the store once the kept edits are read. */
function Opened({ workflow, specs, draft, keptEdits }: OpenedProps) {
  const { t } = useTranslation("editor");
  const workspace = useWorkspace();
  const user = useUser().id;
  const canBuild = useCan("builder");
  const client = useQueryClient();
  const [open, setOpen] = useState<Open | null>(null);
  const [first] = useState({ draft, specs });
  // Good for the first opening; what opens again must see the edits made since.
  const early = useRef<Promise<Kept | null> | null>(keptEdits);
  useEffect(() => {
    let live = true;
    let made: Open | null = null;
    const path = `${workspacePath(workspace.id)}/workflows/${workflow.id}/draft`;
    const local = new LocalDraft(user, workspace.id, workflow.id);
    const start = async (): Promise<void> => {
      const kept = canBuild ? await (early.current ?? local.read()) : null;
      if (!live) return;
      early.current = null;
      ui.reset();
      const server = normaliseDocument(first.draft.graph);
      const found = restore(server, first.draft.revision, kept);
      const store = createEditorStore();
      store.open({
        document: found.conflicts.length > 0 ? server : found.document,
        saved: found.saved,
        history: found.history,
        specs: first.specs,
        summaries: first.draft.summaries,
        effects: first.draft.effects,
        serverProblems: first.draft.problems,
        locks: canBuild ? [] : ["role"],
      });
      const autosave: Autosave = new Autosave(store, first.draft.revision, {
        put: (graph, revision) => api.put<SavedDraft>(path, { graph }, { headers: { "If-Match": `"${revision}"` } }),
        get: () => api.get<Draft>(path, { parse: parseExact }),
        // The tab that edits is the one whose edits are kept here.
        remember: () => {
          if (!store.getState().locks.includes("tab")) local.remember(store, () => autosave.state.getState().revision);
        },
      });
      if (found.conflicts.length > 0 && kept) {
        // Our kept edits stand against newer ones on the server: ask, with ours on the canvas.
        store.setState({ document: kept.document, saved: kept.saved, history: kept.history });
        autosave.meet(first.draft);
      }
      const tab = new EditorTab(`${user}/${workspace.id}/${workflow.id}`, () => {
        if (!canBuild) return;
        void autosave.flush();
        store.setLock("tab", true);
      });
      made = { store, autosave, local, tab };
      setOpen(made);
      if (found.unsaved && found.conflicts.length === 0) {
        showToast({ title: i18n.t("editor:restored.title"), text: i18n.t("editor:restored.text"), tone: "info" });
      }
    };
    void start();
    return () => {
      live = false;
      if (!made) return;
      const { store, autosave, tab } = made;
      tab.close();
      if (!store.getState().locks.includes("tab")) local.flush(store, autosave.state.getState().revision);
      void autosave.flush().then(() => {
        autosave.stop();
        return client.invalidateQueries({ queryKey: [workspace.id, "workflow", workflow.id] });
      });
    };
  }, [user, workspace.id, workflow.id, canBuild, first, client]);
  // The person's language can come, or change, after the steps.
  useEffect(() => open?.store.retell(specs), [open, specs]);
  if (!open) {
    return (
      <>
        <TopBar title={workflow.name} />
        <SkeletonRows label={t("loading")} rows={5} height={60} />
      </>
    );
  }
  return <EditorScreen workflow={workflow} {...open} />;
}
