/** The dialogs of the editor. A chunk of its own, which is loaded as soon as the editor has come to rest. */
import { ArrowRight, LogOut, Plus, Unlink } from "lucide-react";
import { type RefObject, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import type { CanvasHandle } from "../../canvas";
import { connect, formatExact, hasUndoPort, indexOf, isAction, moveHome, operations, portsOf, possibleHomes, possibleTargets, UNDO_HANDLE } from "../../graph";
import { useEditor, useEnvironment } from "../../inspector/EditorContext";
import { summaryText } from "../../i18n/summaries";
import { Button, ConfirmDialog, Dialog, Kbd, SearchBox, SelectField, showToast, Tile } from "../../ui";
import type { DialogsProps } from "./Dialogs";
import css from "./editor.module.css";
import add from "./add.module.css";
import { PublishDialog } from "./PublishDialog";
import { sayCut } from "./sayCut";
import { TestDialog } from "./TestDialog";
import { ui, useUi } from "./uiStore";
import type { EditorCommands } from "./useEditorKeys";

const close = (): void => ui.set({ dialog: null });

export default function OpenDialog({ workflow, autosave, changes, canvas, test, keys }: DialogsProps) {
  const dialog = useUi((state) => state.dialog);
  switch (dialog) {
    case "publish":
      return <PublishDialog workflow={workflow} autosave={autosave} changes={changes} onClose={close} />;
    case "test":
      return <TestDialog workflow={workflow} autosave={autosave} test={test} onClose={close} />;
    case "connect":
      return <ConnectDialog keys={keys} />;
    case "moveInto":
      return <MoveInto keys={keys} />;
    case "find":
      return <FindDialog canvas={canvas} />;
    case "shortcuts":
      return <Shortcuts />;
    case "deleteUsed":
      return <DeleteUsed keys={keys} />;
    case null:
      return null;
  }
}

/** Connecting without dragging: a list of the steps a link may lead to. */
function ConnectDialog({ keys }: { keys: EditorCommands }) {
  const { t } = useTranslation(["editor", "canvas"]);
  const { store } = useEnvironment();
  const document = useEditor((state) => state.document);
  const specs = useEditor((state) => state.specs);
  const source = useEditor((state) => state.document.nodes.find((node) => node.id === state.selection[0]));
  const spec = source ? specs[source.type] : undefined;
  // Nothing follows an undo step.
  const undoes = source !== undefined && isAction(spec) && indexOf(document).undoes.has(source.id);
  const ways = source && !undoes ? portsOf(spec, source.config) : [];
  const all = [
    ...ways.map((port) => ({ id: port.id, label: port.label || t("connect.next") })),
    ...(spec?.has_error_port && !undoes ? [{ id: "error", label: t("connect.failure") }] : []),
    ...(source && hasUndoPort(document, specs, source.id) ? [{ id: UNDO_HANDLE, label: t("connect.undo") }] : []),
  ];
  const [way, setWay] = useState(all[0]?.id ?? "out");
  const [query, setQuery] = useState("");
  const search = useRef<HTMLInputElement>(null);
  if (!source) return null;
  const allowed = new Set(possibleTargets(document, specs, source.id, way));
  const targets = document.nodes.filter((node) => allowed.has(node.id) && node.name.toLowerCase().includes(query.toLowerCase()));
  const linked = document.edges.filter((edge) => edge.source === source.id && edge.sourceHandle === way);
  const nameOf = (id: string): string => document.nodes.find((node) => node.id === id)?.name ?? "";
  const pick = (target: string): void => {
    const reason = connect(store, source.id, way, target);
    if (reason) showToast({ title: t(`canvas:${reason.key}`, reason.params), tone: "err" });
    close();
  };
  return (
    <Dialog opened onClose={close} title={t("connect.title", { name: source.name })}>
      {all.length > 1 && <SelectField label={t("connect.way")} value={way} onChange={setWay} options={all.map((port) => ({ value: port.id, label: port.label }))} />}
      {linked.length > 0 && (
        <ul className={css.linked} aria-label={t("connect.linked")}>
          {linked.map((edge) => (
            <li key={edge.id}>
              <ArrowRight size={15} aria-hidden />
              <span>{t("connect.leadsTo", { name: nameOf(edge.target) })}</span>
              <Button
                size="sm"
                icon={<Unlink size={14} aria-hidden />}
                aria-label={t("connect.disconnectFrom", { name: nameOf(edge.target) })}
                onClick={() => {
                  keys.disconnect([edge.id]);
                  search.current?.focus();
                }}
              >
                {t("connect.disconnect")}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {!undoes && <SearchBox first ref={search} value={query} onChange={setQuery} label={t("connect.search")} onEnter={() => targets[0] && pick(targets[0].id)} />}
      <ul className={css.pickList}>
        {targets.map((node) => (
          <li key={node.id}>
            <button type="button" onClick={() => pick(node.id)}>
              <Tile icon={specs[node.type]?.icon} category={specs[node.type]?.category ?? "app"} size="sm" />
              {node.name}
            </button>
          </li>
        ))}
        {targets.length === 0 && <li className={add.quickNone}>{t(undoes ? "connect.undoes" : way === UNDO_HANDLE && linked.length === 0 ? "connect.noUndo" : "connect.none")}</li>}
        {way === UNDO_HANDLE && linked.length === 0 && (
          <li>
            <button
              type="button"
              onClick={() => {
                close();
                // After the dialog has given the focus back.
                setTimeout(() => keys.addUndo(source.id), 0);
              }}
            >
              <Plus size={15} aria-hidden />
              {t("connect.newUndo")}
            </button>
          </li>
        )}
      </ul>
    </Dialog>
  );
}

/** Into which container the selected steps go, or out of all: a list. */
function MoveInto({ keys }: { keys: EditorCommands }) {
  const { t } = useTranslation(["editor", "canvas"]);
  const { store } = useEnvironment();
  const document = useEditor((state) => state.document);
  const specs = useEditor((state) => state.specs);
  const selection = useEditor((state) => state.selection);
  const [query, setQuery] = useState("");
  const count = document.nodes.filter((node) => selection.includes(node.id)).length;
  const homes = possibleHomes(store).flatMap((id) => {
    const node = document.nodes.find((other) => other.id === id);
    const name = node?.name ?? t("moveInto.out");
    return name.toLowerCase().includes(query.toLowerCase()) ? [{ id, node, name }] : [];
  });
  const pick = (home: string | null): void => {
    close();
    sayCut(moveHome(store, home), t);
    keys.backToMain(220);
  };
  return (
    <Dialog opened onClose={close} title={t("moveInto.title", { count })}>
      <SearchBox first value={query} onChange={setQuery} label={t("moveInto.search")} onEnter={() => homes[0] && pick(homes[0].id)} />
      <ul className={css.pickList}>
        {homes.map(({ id, node, name }) => (
          <li key={id ?? ""}>
            <button type="button" onClick={() => pick(id)}>
              {node ? <Tile icon={specs[node.type]?.icon} category={specs[node.type]?.category ?? "loop"} size="sm" /> : <LogOut size={18} aria-hidden />}
              {name}
            </button>
          </li>
        ))}
        {homes.length === 0 && <li className={add.quickNone}>{t("moveInto.none")}</li>}
      </ul>
      <p className={add.quickNone}>{t("moveInto.hint")}</p>
    </Dialog>
  );
}

/** Ctrl+F: names, values and notes of this workflow. */
function FindDialog({ canvas }: { canvas: RefObject<CanvasHandle | null> }) {
  const { t } = useTranslation("editor");
  const { goTo } = useEnvironment();
  const document = useEditor((state) => state.document);
  const specs = useEditor((state) => state.specs);
  const summaries = useEditor((state) => state.summaries);
  const [query, setQuery] = useState("");
  const wanted = query.trim().toLowerCase();
  const found = wanted
    ? document.nodes.filter((node) => `${node.name} ${node.key} ${node.notes ?? ""} ${summaries[node.id] ?? ""} ${summaryText(node, summaries[node.id]) ?? ""} ${formatExact(node.config)}`.toLowerCase().includes(wanted))
    : document.nodes;
  const go = (node: string): void => {
    close();
    goTo(node);
    requestAnimationFrame(() => canvas.current?.reveal(node, true));
  };
  return (
    <Dialog opened onClose={close} title={t("find.title")}>
      <SearchBox first value={query} onChange={setQuery} label={t("find.search")} onEnter={() => found[0] && go(found[0].id)} />
      <ul className={css.pickList}>
        {found.slice(0, 50).map((node) => (
          <li key={node.id}>
            <button type="button" onClick={() => go(node.id)}>
              <Tile icon={specs[node.type]?.icon} category={specs[node.type]?.category ?? "app"} size="sm" />
              <span>
                {node.name}
                <small>{summaryText(node, summaries[node.id])}</small>
              </span>
            </button>
          </li>
        ))}
        {found.length === 0 && <li className={add.quickNone}>{t("find.none")}</li>}
      </ul>
    </Dialog>
  );
}

/** Deleting a step whose data others use: says which, and does it all the same if wanted. */
function DeleteUsed({ keys }: { keys: EditorCommands }) {
  const { t } = useTranslation("editor");
  const document = useEditor((state) => state.document);
  const selection = useEditor((state) => state.selection);
  const users = operations.usersOf(document, new Set(selection));
  const steps = document.nodes.filter((node) => selection.includes(node.id));
  return (
    <ConfirmDialog
      opened
      onClose={close}
      title={t("deleteUsed.title", { count: users.length })}
      confirm={t("deleteUsed.confirm", { count: steps.length })}
      variant="dangerFilled"
      onConfirm={() => {
        close();
        keys.remove(true);
      }}
    >
      <p>{t("deleteUsed.text", { names: users.map((node) => node.name).join(", ") })}</p>
    </ConfirmDialog>
  );
}

const SHORTCUTS: [string, [string, string][]][] = [
  ["build", [["A", "add"], ["/", "search"], ["L", "connect"], ["I", "moveInto"], ["F2", "rename"], ["X", "toggle"], ["N", "note"], ["Delete", "delete"], ["Ctrl D", "duplicate"], ["Ctrl C  X  V", "clipboard"], ["Ctrl Z", "undo"], ["Ctrl Shift Z", "redo"], ["Shift T", "tidy"]]],
  ["move", [["↑ ↓ ← →", "walk"], ["Shift ↑ ↓ ← →", "extend"], ["Alt ↑ ↓ ← →", "move"], ["Enter", "open"], ["Esc", "close"], ["Ctrl A", "all"], ["Ctrl F", "find"], ["F8", "problem"], ["O", "outline"]]],
  ["view", [["1", "fit"], ["2", "fitSelection"], ["0", "hundred"], ["Ctrl +  −", "zoom"], ["U", "undoLinks"], ["M", "minimap"], ["Shift drag", "box"], ["Space drag", "pan"]]],
  ["run", [["Ctrl Enter", "test"], ["Ctrl Shift P", "publish"], ["Ctrl S", "save"], ["Ctrl K", "palette"]]],
];

function Shortcuts() {
  const { t } = useTranslation("editor");
  return (
    <Dialog opened onClose={close} title={t("shortcuts.title")} size={760}>
      <div className={css.shortcuts}>
        {SHORTCUTS.map(([group, keys]) => (
          <section key={group}>
            <h3>{t(`shortcuts.group.${group}`)}</h3>
            <dl>
              {keys.map(([key, name]) => (
                <div key={name}>
                  <dt>{t(`shortcuts.${name}`)}</dt>
                  <dd>
                    {key.split(" ").filter(Boolean).map((part) => (
                      <Kbd key={part}>{part}</Kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p className={add.quickNone}>{t("shortcuts.hint")}</p>
    </Dialog>
  );
}
