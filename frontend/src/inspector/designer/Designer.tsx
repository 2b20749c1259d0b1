import { Menu, Modal } from "@mantine/core";
import { FilePlus, FileText, Redo2, RotateCcw, Undo2 } from "lucide-react";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import type { DesignModel, ReadyDesign } from "../../api/documents";
import { workspacePath } from "../../api/queries";
import { type Json, type JsonObject, parseExact } from "../../graph";
import { Button, cx, ErrorCard, IconButton, SkeletonRows } from "../../ui";
import { DataFlyout } from "../DataFlyout";
import { DataScopeContext } from "../DataScope";
import type { Translate } from "../dataWords";
import { picker, usePicker } from "../dataPicker";
import { useEnvironment } from "../EditorContext";
import { useGiveBack } from "../../ui/giveBack";
import { BlockList } from "./BlockList";
import css from "./designer.module.css";
import {
  begin, blankDesign, blocksOf, choose, type Chosen, type History, type Problem, record, redo, rowsOf, sampleOf, startAgain, type State, undo,
} from "./edit";
import { Preview } from "./Preview";
import { scopeOf } from "./scope";
import { Settings } from "./Settings";
import { useStepData } from "./stepData";

export interface DesignerProps {
  design: JsonObject;
  ready: readonly ReadyDesign[];
  /** The step, and its setting for the document's data. */
  node: string;
  data: Json | undefined;
  onChange(design: JsonObject): void;
  onClose(): void;
}

/** The button of a menu that is open. */
const OPENED = "[aria-haspopup=menu][aria-expanded=true]";

const PANES = ["blocks", "settings", "preview"] as const;
type Pane = (typeof PANES)[number];

/** The whole of a document's design on one page: its blocks, the settings of one, and what it looks like. */
export default function Designer({ design, ready, node, data, onChange, onClose }: DesignerProps) {
  const { t, i18n } = useTranslation("designer");
  const { workspace } = useEnvironment();
  const model = useQuery({
    queryKey: [workspace, "design-model"],
    queryFn: ({ signal }) => api.get<DesignModel>(`${workspacePath(workspace)}/documents/model`, { signal, parse: parseExact }),
    staleTime: Infinity,
  });
  const [history, setHistory] = useState<History>(() => begin(design));
  const [pane, setPane] = useState<Pane>("blocks");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [said, setSaid] = useState("");
  useGiveBack(true);
  const open = useRef({ menu: false, data: false });
  useEffect(() => {
    // Before they hear of the key: by the time that it comes up to here they may be gone.
    const note = (): void => {
      const { target, dismissed } = usePicker.getState();
      open.current = {
        menu: document.querySelector(`[role=menu], ${OPENED}`) !== null,
        data: target !== null && dismissed !== target.id && target.element.isConnected,
      };
    };
    window.addEventListener("keydown", note, { capture: true });
    return () => window.removeEventListener("keydown", note, { capture: true });
  }, []);
  const latest = useRef(history);
  const { now } = history;
  const take = useCallback(
    (next: History): void => {
      const before = latest.current;
      latest.current = next;
      setHistory(next);
      if (next.now.design !== before.now.design) onChange(next.now.design);
    },
    [onChange],
  );
  const change = useCallback((next: State, group: string | null = null) => take(record(latest.current, next, group)), [take]);
  const select = useCallback(
    (chosen: Chosen) => {
      take(choose(latest.current, chosen));
      setPane("settings");
    },
    [take],
  );
  const step = (back: boolean): void => {
    const next = (back ? undo : redo)(latest.current);
    if (next === latest.current) return;
    picker.close();
    take(next);
    setSaid(t(back ? "said.undone" : "said.redone"));
  };
  const found = useStepData(node, data);
  const isEmpty = Object.keys(sampleOf(design)).length === 0;
  const offered = useRef(false);
  useEffect(() => {
    // A page that has nothing to show yet begins with what the step has.
    if (offered.current || !isEmpty || !found.data) return;
    offered.current = true;
    const { design: current, chosen } = latest.current.now;
    take({ ...latest.current, now: { design: { ...current, sample: found.data }, chosen } });
  }, [isEmpty, found.data, take]);
  const sample = sampleOf(now.design);
  const rows = rowsOf(now);
  // The same for as long as the data are: what formulas give is worked out anew for another.
  const scope = useMemo(() => scopeOf(sample, rows, t as unknown as Translate), [sample, rows, t]);
  const again = (from: JsonObject): void => {
    change(startAgain(latest.current.now, from));
    setPane("blocks");
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented) return;
    const ctrl = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (event.key === "Escape") {
      event.preventDefault();
      if (open.current.menu) {
        // A menu closes by itself, and says so to nobody, but not before it has the focus.
        const opener = event.target instanceof HTMLElement && event.target.closest<HTMLElement>(OPENED);
        if (opener) opener.click();
      } else if (open.current.data) picker.dismiss();
      else onClose();
    } else if (ctrl && (key === "z" || key === "y") && !keepsItsOwn(event.target)) {
      event.preventDefault();
      step(key === "z" && !event.shiftKey);
    } else if (ctrl && key === "s") {
      // It is saved as it is changed.
      event.preventDefault();
      setSaid(t("said.saved"));
    }
  };
  return (
    <Modal.Root opened onClose={onClose} fullScreen padding={0} closeOnEscape={false} lockScroll={false} transitionProps={{ transition: "fade", duration: 100 }}>
      <Modal.Content aria-label={t("title")} style={{ background: "var(--canvas)", overflow: "hidden" }}>
      {/* oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- keys that count wherever the focus is */}
      <div className={css.designer} data-own-data data-pane={pane} data-testid="designer" onKeyDown={onKey}>
        <header className={css.head}>
          <h2>{t("title")}</h2>
          <span className={css.grow} />
          <IconButton label={t("undo")} keys="Ctrl+Z" icon={<Undo2 size={17} />} disabled={history.past.length === 0} onClick={() => step(true)} />
          <IconButton label={t("redo")} keys="Ctrl+Shift+Z" icon={<Redo2 size={17} />} disabled={history.future.length === 0} onClick={() => step(false)} />
          <Menu position="bottom-end" shadow="lg" width={240} withinPortal={false}>
            <Menu.Target>
              <Button icon={<RotateCcw size={15} aria-hidden />} aria-label={t("again")}>
                <span className={css.wideOnly}>{t("again")}</span>
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item
                leftSection={<FilePlus size={15} />}
                onClick={() => again(blankDesign(t("blankTitle"), i18n.language, sampleOf(latest.current.now.design)))}
              >
                {t("blank")}
              </Menu.Item>
              <Menu.Divider />
              <Menu.Label>{t("ready")}</Menu.Label>
              {ready.map((one) => (
                <Menu.Item key={one.id} leftSection={<FileText size={15} />} onClick={() => again(one.design)}>
                  {t(`inspector:design.ready.${one.id}`, { defaultValue: one.name })}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
          <Button variant="primary" onClick={onClose}>
            {t("done")}
          </Button>
        </header>
        <div className={css.panes} role="group" aria-label={t("panes")}>
          {PANES.map((name) => (
            <button key={name} type="button" aria-pressed={pane === name} onClick={() => setPane(name)}>
              {t(`pane.${name}`)}
            </button>
          ))}
        </div>
        <div className={cx("srOnly")} role="status">
          {said}
        </div>
        {model.data ? (
          <DataScopeContext value={scope}>
            <main className={css.body}>
              <section className={css.list} aria-label={t("pane.blocks")} data-flyout-dock>
                <BlockList model={model.data} state={now} problem={problem} onSelect={select} onChange={change} onSay={setSaid} />
              </section>
              <section className={css.settings} aria-label={t("pane.settings")}>
                <Settings
                  key={`${String(now.chosen)}:${blocksOf(now.design).length}`}
                  model={model.data}
                  state={now}
                  problem={problem}
                  node={node}
                  found={found}
                  onChange={change}
                />
              </section>
              <section className={css.page} aria-label={t("pane.preview")}>
                <Preview design={now.design} wide={1100} onProblem={setProblem} />
              </section>
            </main>
            <DataFlyout node={node} />
          </DataScopeContext>
        ) : model.error ? (
          <div className={css.settings}>
            <ErrorCard title={t("failed")} error={model.error} onRetry={() => void model.refetch()} />
          </div>
        ) : (
          <SkeletonRows label={t("loading")} />
        )}
      </div>
      </Modal.Content>
    </Modal.Root>
  );
}

/** Texts take back what was typed in them by themselves. */
function keepsItsOwn(target: EventTarget): boolean {
  if (target instanceof HTMLTextAreaElement) return true;
  return target instanceof HTMLInputElement && ["text", "search", "url"].includes(target.type);
}
