import { Popover } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useQueryClient } from "@tanstack/react-query";
import { ChevronRight, CloudOff, LoaderCircle, Lock, Play, Radio, Redo2, Rocket, TriangleAlert, Undo2, Check } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { ApiError, api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { Workflow } from "../../api/types";
import type { Change } from "../../graph";
import { useEditor, useEnvironment } from "../../inspector/EditorContext";
import { Button, Chip, IconButton, segmentClass, segmentsClass, showToast, TopBar, useErrorText } from "../../ui";
import { RunButton } from "../workflow/WorkflowBar";
import type { Autosave } from "./autosave";
import { ChangeList } from "./ChangeList";
import css from "./editor.module.css";
import { useLayer } from "./layers";
import { ui } from "./uiStore";

export interface EditorHeaderProps {
  workflow: Workflow;
  autosave: Autosave;
  changes: readonly Change[] | null;
  /** How much of the bar there is for chips; on a phone these, undo and redo stand beside the outline. */
  room: "all" | "some" | "little" | "phone";
}

export function EditorHeader({ workflow, autosave, changes, room }: EditorHeaderProps) {
  const { t } = useTranslation("editor");
  const empty = useEditor((state) => state.document.nodes.length === 0);
  const readOnly = useEditor((state) => state.readOnly);
  const locks = useEditor((state) => state.locks);
  const viewer = locks.includes("role");
  return (
    <TopBar
      crumbs={
        <>
          <Link to="/workflows">{t("crumb")}</Link>
          <ChevronRight size={15} aria-hidden />
        </>
      }
      title={<WorkflowName workflow={workflow} readOnly={readOnly} />}
      chips={
        <>
          {room === "all" ? <StateChips workflow={workflow} changes={changes} /> : room === "some" && <DraftChip changes={changes} live={workflow.live !== null} />}
          {locks[0] !== undefined && !(room !== "all" && locks[0] === "test") && <Chip icon={<Lock size={12} aria-hidden />}>{t(`lock.${locks[0]}`)}</Chip>}
          {!viewer && <SaveState autosave={autosave} />}
        </>
      }
      middle={
        <nav className={segmentsClass} aria-label={t("tabs.label")}>
          {(["build", "runs", "versions", "starts", "events", "history", "settings"] as const).map((tab) => (
            <Link key={tab} to={`/workflows/$id/${tab}`} params={{ id: workflow.id }} className={segmentClass} activeOptions={{ exact: false }}>
              {t(`tabs.${tab}`)}
            </Link>
          ))}
        </nav>
      }
      actions={
        <>
          {room === "all" && <RunButton workflow={workflow} variant="default" />}
          {!viewer && !locks.includes("tab") && (
            <>
              {room !== "phone" && <UndoRedo />}
              <Button icon={<Play size={15} aria-hidden />} disabled={empty} onClick={() => ui.set({ dialog: "test" })} data-testid="test-button" className={css.wordless} aria-label={t("test.button")}>
                <span>{t("test.button")}</span>
              </Button>
              <Button variant="primary" icon={<Rocket size={15} aria-hidden />} disabled={empty} onClick={() => ui.set({ dialog: "publish" })} data-testid="publish-button">
                {t("publish.button")}
              </Button>
            </>
          )}
        </>
      }
    />
  );
}

function UndoRedo() {
  const { t } = useTranslation("editor");
  const { store } = useEnvironment();
  const past = useEditor((state) => state.history.past[state.history.past.length - 1]);
  const future = useEditor((state) => state.history.future[0]);
  const readOnly = useEditor((state) => state.readOnly);
  const locks = useEditor((state) => state.locks);
  if (locks.includes("role") || locks.includes("tab")) return null;
  return (
    <>
      <IconButton
        label={past ? t("undoWhat", { what: t(past.label.key, past.label.params) }) : t("undo")}
        keys="Ctrl Z"
        icon={<Undo2 size={17} />}
        disabled={!past || readOnly}
        onClick={() => store.undo()}
      />
      <IconButton
        label={future ? t("redoWhat", { what: t(future.label.key, future.label.params) }) : t("redo")}
        keys="Ctrl Shift Z"
        icon={<Redo2 size={17} />}
        disabled={!future || readOnly}
        onClick={() => store.redo()}
      />
    </>
  );
}

/** What runs, and how far the draft is ahead of it. */
function StateChips({ workflow, changes }: Pick<EditorHeaderProps, "workflow" | "changes">) {
  const { t } = useTranslation("editor");
  return (
    <>
      {workflow.live && (
        <Chip tone={workflow.enabled ? "ok" : "idle"} icon={<Radio size={13} aria-hidden />} data-testid="live-chip">
          {workflow.enabled ? t("live", { version: workflow.live.version }) : t("liveOff", { version: workflow.live.version })}
        </Chip>
      )}
      <DraftChip changes={changes} live={workflow.live !== null} />
    </>
  );
}

/** On small screens: what else would stand in the bar on top. */
export function OutlineHead(props: Pick<EditorHeaderProps, "workflow" | "changes">) {
  return (
    <>
      <StateChips {...props} />
      <span className={css.grow} />
      <UndoRedo />
    </>
  );
}

/** The name; a click turns it into a field. */
function WorkflowName({ workflow, readOnly }: { workflow: Workflow; readOnly: boolean }) {
  const { t } = useTranslation("editor");
  const { workspace } = useEnvironment();
  const client = useQueryClient();
  const words = useErrorText();
  const [editing, setEditing] = useState(false);
  const [shown, setShown] = useState(workflow.name);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (editing) field.current?.select();
  }, [editing]);
  const save = async (name: string): Promise<void> => {
    setEditing(false);
    const next = name.trim();
    if (!next || next === shown) return;
    const before = shown;
    setShown(next);
    try {
      const answer = await api.patch<Workflow>(`${workspacePath(workspace)}/workflows/${workflow.id}`, { name: next });
      client.setQueryData([workspace, "workflow", workflow.id], answer);
      void client.invalidateQueries({ queryKey: [workspace, "workflows"] });
    } catch (error) {
      setShown(before);
      const { title, text } = words(error);
      showToast({ title, text: text || t("nameKept", { name: next }), tone: "err" });
    }
  };
  if (readOnly) return <>{shown}</>;
  if (!editing) {
    return (
      <button type="button" className={css.name} title={t("rename")} onClick={() => setEditing(true)}>
        {shown}
      </button>
    );
  }
  return (
    <input
      ref={field}
      className={css.nameField}
      aria-label={t("rename")}
      defaultValue={shown}
      maxLength={200}
      onBlur={(event) => void save(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key === "Escape") {
          event.stopPropagation();
          setEditing(false);
        }
      }}
    />
  );
}

function DraftChip({ changes, live }: { changes: readonly Change[] | null; live: boolean }) {
  const { t } = useTranslation("editor");
  const [opened, setOpened] = useState(false);
  useLayer(opened, () => setOpened(false));
  if (!live) return <Chip tone="wait">{t("draft")}</Chip>;
  if (!changes || changes.length === 0) return null;
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" shadow="lg" width={380} trapFocus returnFocus>
      <Popover.Target>
        <button type="button" className={css.draftChip} aria-expanded={opened} onClick={() => setOpened(!opened)} data-testid="draft-chip">
          {t("draftChanges", { count: changes.length })}
        </button>
      </Popover.Target>
      <Popover.Dropdown>
        <ChangeList changes={changes} onGo={() => setOpened(false)} />
      </Popover.Dropdown>
    </Popover>
  );
}

/** Truthful at any moment: what is on the server, what is only here, what was refused. */
function SaveState({ autosave }: { autosave: Autosave }) {
  const { t } = useTranslation("editor");
  const { status, error } = useStore(autosave.state);
  const words = useErrorText();
  const slow = useSlow(status === "saving");
  const reason = error instanceof ApiError && error.detail ? error.detail : words(error).title;
  switch (status) {
    case "saved":
      return (
        <span className={css.save} data-testid="save-state" data-state="saved">
          <Check size={15} aria-hidden /> <span title={t("save.saved")}>{t("save.saved")}</span>
        </span>
      );
    case "dirty":
    case "saving":
      return (
        <span className={css.save} data-testid="save-state" data-state={status}>
          {slow && (
            <>
              <LoaderCircle size={14} className={css.spin} aria-hidden /> <span title={t("save.saving")}>{t("save.saving")}</span>
            </>
          )}
        </span>
      );
    case "offline":
      return (
        <output className={css.save} data-testid="save-state" data-state="offline">
          <CloudOff size={15} aria-hidden /> <span title={t("save.offline")}>{t("save.offline")}</span>
        </output>
      );
    case "conflict":
      return (
        <output className={css.saveBad} data-testid="save-state" data-state="conflict">
          <TriangleAlert size={15} aria-hidden /> <span title={t("save.conflict")}>{t("save.conflict")}</span>
        </output>
      );
    case "failed":
      return (
        <span className={css.saveBad} role="alert" data-testid="save-state" data-state="failed">
          <TriangleAlert size={15} aria-hidden />
          <span title={reason}>{t("save.failed", { reason })}</span>
          <Button variant="link" onClick={() => void autosave.flush()}>
            {t("save.retry")}
          </Button>
        </span>
      );
  }
}

/** True once `on` has lasted 400 ms: short saves are not worth a word. */
function useSlow(on: boolean): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(on), on ? 400 : 0);
    return () => clearTimeout(timer);
  }, [on]);
  return slow && on;
}

