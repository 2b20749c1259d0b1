import { Menu, Tabs } from "@mantine/core";
import { Copy, Ellipsis, Play, Power, Trash2, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { localNote } from "../graph/notes";
import { duplicateSelection, type GraphNode, hasUndoPort, indexOf, isKey, operations, renameStep, type StepSpec, toggleSelection } from "../graph";
import { failureTitle } from "../i18n/server";
import { useRunStep } from "../live";
import { Button, IconButton, StatusChip, stepStatusKind, TextField, Tile, useFormatter } from "../ui";
import { DataFlyout } from "./DataFlyout";
import { picker } from "./dataPicker";
import { useEditor, useEnvironment } from "./EditorContext";
import { preloadExpressionEditor } from "./ExpressionField";
import { controlOf, handled, useGone } from "./controlOf";
import { FailsTab } from "./FailsTab";
import css from "./inspector.module.css";
import rules from "./rules.module.css";
import { SetupTab } from "./SetupTab";
import { UndoesLine, UndoTab } from "./UndoTab";

type Tab = "setup" | "fails" | "undo" | "notes";

export interface StepPanelProps {
  id: string;
  tab: Tab;
  onTab(tab: Tab): void;
  renaming: boolean;
  onRenamed(): void;
  focus: { node: string; field: string | null; stamp: number } | null;
  /** Gives the focus back to the card. */
  onLeave(): void;
  onClose(): void;
}

/** Everything about one step. Docked beside the canvas, never over it on a large screen. */
export function StepPanel({ id, tab, onTab, renaming, onRenamed, focus, onLeave, onClose }: StepPanelProps) {
  const { t } = useTranslation("inspector");
  const node = useEditor((state) => state.document.nodes.find((other) => other.id === id));
  const spec = useEditor((state) => (node ? state.specs[node.type] : undefined));
  const readOnly = useEditor((state) => state.readOnly);
  useEffect(() => {
    const timer = setTimeout(preloadExpressionEditor, 200);
    return () => {
      clearTimeout(timer);
      picker.close();
    };
  }, []);
  const undoable = useEditor((state) => hasUndoPort(state.document, state.specs, id));
  const undone = useEditor((state) => indexOf(state.document).undoneBy.has(id));
  const panel = useRef<HTMLElement>(null);
  const close = useRef(onClose);
  useEffect(() => {
    close.current = onClose;
  });
  const known = node !== undefined;
  const isGone = useGone(focus);
  useEffect(() => {
    if (!known || focus?.node !== id || focus.field !== "*" || handled.has(focus)) return;
    const timer = setTimeout(() => {
      handled.add(focus);
      if (isGone()) return;
      const rows = [...(panel.current?.querySelectorAll<HTMLElement>("[data-row-field]") ?? [])];
      const first = rows.map(controlOf).find((control) => control && !control.closest("details:not([open])"));
      (first ?? panel.current?.querySelector<HTMLElement>("[data-heading]"))?.focus();
    }, 60);
    return () => clearTimeout(timer);
  }, [known, focus, id, isGone]);
  useEffect(() => {
    const element = panel.current;
    const onKey = (event: KeyboardEvent): void => {
      // Lists and texts inside take the key first and say so.
      if (event.key === "Escape" && !event.defaultPrevented) close.current();
    };
    element?.addEventListener("keydown", onKey);
    return () => element?.removeEventListener("keydown", onKey);
  }, [known]);
  if (!node) return null;
  const fails = spec && !spec.trigger && spec.has_error_port;
  const tabs: Tab[] = ["setup", ...(fails ? (["fails"] as const) : []), ...(undoable ? (["undo"] as const) : []), "notes"];
  const shown = tabs.includes(tab) ? tab : "setup";
  return (
    <aside ref={panel} className={css.panel} aria-label={t("panel.label", { name: node.name })} data-panel data-testid="step-panel">
      <header className={css.panelHead}>
        <Tile icon={spec?.icon} category={spec?.category ?? "app"} />
        <div className={css.panelTitle} role="group" aria-label={t("panel.label", { name: node.name })} tabIndex={-1} data-heading data-autofocus>
          <StepName node={node} renaming={renaming} onRenamed={onRenamed} onLeave={onLeave} readOnly={readOnly} />
          <small>{spec ? spec.title : t("panel.missing", { type: node.type })}</small>
        </div>
        {!readOnly && <PanelMenu node={node} />}
        <IconButton label={t("panel.close")} keys="Esc" icon={<X size={17} />} onClick={onClose} />
      </header>
      <Tabs value={shown} onChange={(next) => next && onTab(next as Tab)} className={css.tabs ?? ""} keepMounted={false} unstyled classNames={{ list: css.tabList ?? "", tab: css.tab ?? "", panel: css.tabPanel ?? "" }}>
        <Tabs.List>
          {tabs.map((name) => (
            <Tabs.Tab key={name} value={name}>
              {t(`tab.${name}`)}
              {name === "fails" && node.settings.on_failure && <i className={css.tabDot} aria-label={t("tab.set")} />}
              {name === "undo" && (undone || node.settings.undo) && <i className={css.tabDot} aria-label={t("tab.set")} />}
              {name === "notes" && node.notes && <i className={css.tabDot} aria-label={t("tab.set")} />}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="setup">
          <UndoesLine node={node} />
          {spec ? <SetupTab node={node} spec={spec} focus={focus?.node === id ? focus : null} toCard={onLeave} readOnly={readOnly} /> : <p className={css.pad}>{t("panel.missingText", { type: node.type })}</p>}
          <KeyField node={node} readOnly={readOnly} />
        </Tabs.Panel>
        <Tabs.Panel value="fails">{spec && <FailsTab node={node} spec={spec} readOnly={readOnly} />}</Tabs.Panel>
        <Tabs.Panel value="undo">
          <UndoTab node={node} readOnly={readOnly} />
        </Tabs.Panel>
        <Tabs.Panel value="notes">
          <NotesTab node={node} readOnly={readOnly} />
        </Tabs.Panel>
      </Tabs>
      <PanelFoot node={node} spec={spec} />
      {!readOnly && <DataFlyout node={id} />}
    </aside>
  );
}

interface NameProps {
  node: GraphNode;
  renaming: boolean;
  onRenamed(): void;
  onLeave(): void;
  readOnly: boolean;
}

function StepName({ node, renaming, onRenamed, onLeave, readOnly }: NameProps) {
  const { t } = useTranslation("inspector");
  const { store } = useEnvironment();
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState<string | null>(null);
  const asked = useRef(false);
  const before = useRef(node.name);
  useEffect(() => {
    if (!renaming) return;
    asked.current = true;
    field.current?.focus();
    field.current?.select();
    onRenamed();
  }, [renaming, onRenamed]);
  return (
    <input
      ref={field}
      className={css.stepName}
      aria-label={t("panel.name")}
      value={text ?? node.name}
      readOnly={readOnly}
      maxLength={120}
      // At once: what is typed must not be lost when the panel goes away. An empty name is none.
      onChange={(event) => {
        const next = event.currentTarget.value;
        setText(next);
        renameStep(store, node.id, next.trim() ? next : before.current);
      }}
      onFocus={() => {
        before.current = node.name;
      }}
      onBlur={() => {
        asked.current = false;
        setText(null);
      }}
      onKeyDownCapture={(event) => {
        // The panel closes on Esc; what was typed is not kept then.
        if (event.key === "Escape" && text !== null) {
          renameStep(store, node.id, before.current);
          setText(null);
        }
        if (event.key !== "Enter") return;
        if (asked.current) onLeave();
        before.current = node.name;
        setText(null);
      }}
    />
  );
}

function PanelMenu({ node }: { node: GraphNode }) {
  const { t } = useTranslation("inspector");
  const { store, remove } = useEnvironment();
  const only = (): void => store.select([node.id]);
  return (
    <Menu position="bottom-end" shadow="lg" width={210} withinPortal>
      <Menu.Target>
        <button type="button" className={css.iconButton} aria-label={t("panel.more")}>
          <Ellipsis size={17} aria-hidden />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<Copy size={15} />}
          onClick={() => {
            only();
            duplicateSelection(store);
          }}
        >
          {t("panel.duplicate")}
        </Menu.Item>
        <Menu.Item
          leftSection={<Power size={15} />}
          onClick={() => {
            only();
            toggleSelection(store);
          }}
        >
          {node.settings.disabled ? t("panel.enable") : t("panel.disable")}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item
          color="var(--err)"
          leftSection={<Trash2 size={15} />}
          onClick={() => {
            only();
            remove();
          }}
        >
          {t("panel.delete")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** The name formulas use. Changing it rewrites them. */
function KeyField({ node, readOnly }: { node: GraphNode; readOnly: boolean }) {
  const { t } = useTranslation("inspector");
  const { store } = useEnvironment();
  const [text, setText] = useState<string | null>(null);
  const taken = useEditor((state) => state.document.nodes.some((other) => other.id !== node.id && other.key.toLowerCase() === (text ?? node.key).toLowerCase()));
  const value = text ?? node.key;
  const error = taken ? t("key.taken") : isKey(value) ? undefined : t("key.bad");
  const before = useRef(node.key);
  const change = (next: string): void => {
    setText(next);
    const free = !store.getState().document.nodes.some((other) => other.id !== node.id && other.key.toLowerCase() === next.toLowerCase());
    // Formulas follow a key that can be one; until then they keep the one from before.
    const key = free && isKey(next) ? next : before.current;
    store.edit({ key: "history.key", params: { name: node.name } }, (draft) => operations.rekeyStep(draft, node.id, key), { group: `key:${node.id}` });
  };
  return (
    <details className={rules.more}>
      <summary>{t("key.summary")}</summary>
      <TextField
        label={t("key.label")}
        mono
        hint={t("key.hint")}
        error={error}
        value={value}
        readOnly={readOnly}
        onChange={(event) => change(event.currentTarget.value)}
        onFocus={() => {
          if (text === null) before.current = node.key;
        }}
        // A key that cannot be one stays in sight, with what is wrong with it.
        onBlur={() => !error && setText(null)}
      />
    </details>
  );
}

function NotesTab({ node, readOnly }: { node: GraphNode; readOnly: boolean }) {
  const { t } = useTranslation("inspector");
  const { store } = useEnvironment();
  return (
    <div className={css.form}>
      <label className={css.label} htmlFor={`notes-${node.id}`}>
        {t("notes.label")}
      </label>
      <textarea
        id={`notes-${node.id}`}
        className={css.textarea}
        rows={8}
        maxLength={5000}
        placeholder={t("notes.placeholder")}
        value={node.notes ?? ""}
        readOnly={readOnly}
        onChange={(event) => {
          const text = event.currentTarget.value;
          store.edit({ key: "history.notes", params: { name: node.name } }, (draft) => operations.setNotes(draft, node.id, text), { group: `notes:${node.id}` });
        }}
      />
    </div>
  );
}

function PanelFoot({ node, spec }: { node: GraphNode; spec: StepSpec | undefined }) {
  const { t } = useTranslation("inspector");
  const { test } = useEnvironment();
  const format = useFormatter();
  const step = useRunStep(node.id);
  const viewing = useEditor((state) => state.locks.some((lock) => lock !== "test"));
  if (viewing || !spec) return null;
  return (
    <footer className={css.panelFoot}>
      {step && (
        <div className={css.result}>
          <StatusChip kind={stepStatusKind(step)} />
          {step.duration_ms !== null && <span className="tn">{format.duration(step.duration_ms)}</span>}
          <span className={css.resultText}>{(step.error && failureTitle(step.error)) ?? localNote(step.note, format)}</span>
        </div>
      )}
      <div className={css.footButtons}>
        <Button variant="primary" icon={<Play size={15} aria-hidden />} onClick={test}>
          {t("foot.test")}
        </Button>
        {!step && <span className={css.hint}>{t("foot.notTested")}</span>}
      </div>
    </footer>
  );
}
