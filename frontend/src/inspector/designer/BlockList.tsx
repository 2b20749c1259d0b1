import { Menu } from "@mantine/core";
import {
  AlignLeft, Braces, CircleAlert, Code, CopyPlus, Ellipsis, FileText, GripVertical, Heading, Image, List, MoveDown, MoveUp, NotepadText, PanelsTopLeft, Plus,
  QrCode, SeparatorHorizontal, Table2, Trash2, Users,
} from "lucide-react";
import { type DragEvent, type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import type { DesignModel } from "../../api/documents";
import { Button, cx, keyText } from "../../ui";
import css from "./designer.module.css";
import { addBlock, blocksOf, type Chosen, duplicateBlock, gist, kindOf, moveBlock, newBlock, placeOf, type Problem, removeBlock, sampleOf, type State } from "./edit";

const ICONS: Record<string, ReactNode> = {
  title: <Heading size={16} />, text: <AlignLeft size={16} />, parties: <Users size={16} />, pairs: <List size={16} />, table: <Table2 size={16} />,
  notes: <NotepadText size={16} />, logo: <Image size={16} />, qr: <QrCode size={16} />, space: <SeparatorHorizontal size={16} />,
};
const PARTS = { page: <FileText size={16} />, edges: <PanelsTopLeft size={16} />, data: <Braces size={16} />, text: <Code size={16} /> };

export interface BlockListProps {
  model: DesignModel;
  state: State;
  problem: Problem | null;
  onSelect(chosen: Chosen): void;
  onChange(state: State): void;
  /** Is read out. */
  onSay(text: string): void;
}

/** What the document is made of, from above. */
export function BlockList({ model, state, problem, onSelect, onChange, onSay }: BlockListProps) {
  const { t } = useTranslation("designer");
  const { design, chosen } = state;
  const blocks = blocksOf(design);
  const list = useRef<HTMLOListElement>(null);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const follow = useRef(false);
  useEffect(() => {
    if (!follow.current) return;
    follow.current = false;
    (list.current?.querySelector<HTMLElement>("[aria-current=true]") ?? document.querySelector<HTMLElement>("[data-part=page]"))?.focus();
  }, [state]);
  const nameOf = (at: number): string => t(`kind.${kindOf(blocks[at])}`, { defaultValue: kindOf(blocks[at]) });
  const move = (from: number, to: number): void => {
    const next = moveBlock({ ...state, chosen: from }, from, to);
    if (next.design === design) return;
    follow.current = true;
    onChange(next);
    onSay(t("said.moved", { name: nameOf(from), place: to + 1, count: blocks.length }));
  };
  const remove = (at: number): void => {
    follow.current = true;
    onChange(removeBlock(state, at));
    onSay(t("said.removed", { name: nameOf(at) }));
  };
  const copy = (at: number): void => {
    follow.current = true;
    onChange(duplicateBlock(state, at));
    onSay(t("said.copied", { name: nameOf(at) }));
  };
  const add = (kind: string): void => {
    const schema = model.blocks[kind];
    if (!schema) return;
    const next = addBlock(state, newBlock(kind, schema, sampleOf(design)));
    onChange(next);
    onSelect(next.chosen);
    onSay(t("said.added", { name: t(`kind.${kind}`) }));
  };
  const onKey = (event: KeyboardEvent, at: number): void => {
    const down = event.key === "ArrowDown";
    if (down || event.key === "ArrowUp") {
      const to = at + (down ? 1 : -1);
      if (event.altKey) move(at, to);
      else list.current?.querySelectorAll<HTMLElement>("[data-block]")[to]?.focus();
    } else if (event.key === "Delete" || event.key === "Backspace") remove(at);
    else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "d") copy(at);
    else return;
    event.preventDefault();
  };
  const over = (event: DragEvent, at: number): void => {
    if (!drag) return;
    event.preventDefault();
    const box = event.currentTarget.getBoundingClientRect();
    const gap = event.clientY > box.top + box.height / 2 ? at + 1 : at;
    if (gap !== drag.to) setDrag({ ...drag, to: gap });
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    // Taken out of its place first, what stood behind it moves up.
    if (drag) move(drag.from, drag.to > drag.from ? drag.to - 1 : drag.to);
    setDrag(null);
  };
  const broken = problem ? placeOf(problem) : null;
  const mark = broken !== null && <CircleAlert size={15} className={css.bad} role="img" aria-label={t("hasProblem")} />;
  const full = blocks.length >= model.most_blocks;
  return (
    <>
      <nav className={css.parts} aria-label={t("document")}>
        {(["page", "edges", "data", "text"] as const).map((part) => (
          <button key={part} type="button" className={css.row} data-part={part} aria-current={chosen === part} onClick={() => onSelect(part)}>
            <i aria-hidden>{PARTS[part]}</i>
            <b>{t(`part.${part}`)}</b>
            {broken === part && mark}
          </button>
        ))}
      </nav>
      <div className={css.listHead}>
        <h3>{t("blocks")}</h3>
        <Menu position="bottom-end" shadow="lg" width={290} withinPortal={false} disabled={full}>
          <Menu.Target>
            <Button size="sm" variant="soft" icon={<Plus size={14} aria-hidden />} disabled={full} title={full ? t("full", { count: model.most_blocks }) : undefined}>
              {t("addBlock")}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {Object.keys(model.blocks).map((kind) => (
              <Menu.Item key={kind} leftSection={ICONS[kind] ?? <FileText size={16} />} onClick={() => add(kind)} aria-label={t(`kind.${kind}`, { defaultValue: kind })}>
                <span className={css.offer}>
                  {t(`kind.${kind}`, { defaultValue: kind })}
                  <small>{t(`about.${kind}`, { defaultValue: "" })}</small>
                </span>
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      </div>
      {blocks.length === 0 && <p className={css.none}>{t("noBlocks")}</p>}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- a block is dropped here; by keyboard it is moved with Alt and an arrow */}
      <ol ref={list} className={css.blocks} onDrop={drop} onDragOver={(event) => drag && event.preventDefault()}>
        {blocks.map((block, at) => (
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- as above
          <li
            key={at}
            data-drop={drag && drag.to !== drag.from && drag.to !== drag.from + 1 ? (drag.to === at ? "before" : drag.to === at + 1 && at === blocks.length - 1 ? "after" : undefined) : undefined}
            className={cx(drag?.from === at && css.dragged)}
            draggable
            onDragStart={(event) => {
              event.dataTransfer.effectAllowed = "move";
              event.dataTransfer.setData("text/plain", nameOf(at));
              setDrag({ from: at, to: at });
            }}
            onDragOver={(event) => over(event, at)}
            onDragEnd={() => setDrag(null)}
          >
            <GripVertical size={15} className={css.grip} aria-hidden />
            <button
              type="button"
              className={css.row}
              data-block
              aria-current={chosen === at}
              aria-keyshortcuts="Alt+ArrowUp Alt+ArrowDown Delete"
              onClick={() => onSelect(at)}
              onKeyDown={(event) => onKey(event, at)}
            >
              <i aria-hidden>{ICONS[kindOf(block)] ?? <FileText size={16} />}</i>
              <b>
                <span className="srOnly">{at + 1}. </span>
                {nameOf(at)}
                <small>{gist(block)}</small>
              </b>
            </button>
            {broken === at && mark}
            <Menu position="bottom-end" shadow="lg" width={220} withinPortal={false}>
              <Menu.Target>
                <button type="button" className={css.more} aria-label={t("more", { name: nameOf(at), number: at + 1 })}>
                  <Ellipsis size={16} aria-hidden />
                </button>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item leftSection={<MoveUp size={15} />} rightSection={<small>{keyText("Alt+↑")}</small>} disabled={at === 0} onClick={() => move(at, at - 1)}>
                  {t("up")}
                </Menu.Item>
                <Menu.Item leftSection={<MoveDown size={15} />} rightSection={<small>{keyText("Alt+↓")}</small>} disabled={at === blocks.length - 1} onClick={() => move(at, at + 1)}>
                  {t("down")}
                </Menu.Item>
                <Menu.Item leftSection={<CopyPlus size={15} />} rightSection={<small>{keyText("Ctrl+D")}</small>} disabled={full} onClick={() => copy(at)}>
                  {t("duplicate")}
                </Menu.Item>
                <Menu.Divider />
                <Menu.Item color="var(--err)" leftSection={<Trash2 size={15} />} rightSection={<small>{keyText("Delete")}</small>} onClick={() => remove(at)}>
                  {t("remove")}
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </li>
        ))}
      </ol>
    </>
  );
}
