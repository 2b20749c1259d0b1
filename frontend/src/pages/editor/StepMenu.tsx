import { Menu } from "@mantine/core";
import { BringToFront, Copy, CopyPlus, Link2, Pencil, Plus, Power, Trash2, Undo2 } from "lucide-react";
import { useTranslation } from "react-i18next";

import { framesOf, hasUndoPort, possibleHomes, undoStepOf } from "../../graph";
import { useEditor, useEnvironment } from "../../inspector/EditorContext";
import { keyText } from "../../ui";
import { type Place, ui } from "./uiStore";
import type { EditorCommands } from "./useEditorKeys";

/** The menu of a card, at the pointer. */
export function StepMenu({ node, place, keys }: { node: string; place: Place; keys: EditorCommands }) {
  const { t } = useTranslation("editor");
  const disabled = useEditor((state) => state.document.nodes.find((other) => other.id === node)?.settings.disabled ?? false);
  const undoable = useEditor((state) => hasUndoPort(state.document, state.specs, node) && !undoStepOf(state.document, node));
  const { store } = useEnvironment();
  const container = useEditor((state) => framesOf(state.document, state.specs).containers.has(node));
  const movable = useEditor((state) => framesOf(state.document, state.specs).containers.size > 0) && possibleHomes(store).length > 0;
  const close = (): void => {
    ui.set({ menu: null });
    // What was chosen may have opened something that has the focus by then.
    requestAnimationFrame(() => {
      if (document.activeElement === document.body || document.activeElement?.closest("[role=menu]")) keys.toMain();
    });
  };
  return (
    <Menu opened onChange={(opened) => !opened && close()} position="bottom-start" shadow="lg" width={232} withinPortal>
      <Menu.Target>
        <span style={{ position: "fixed", left: place.clientX, top: place.clientY }} />
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<Pencil size={15} />} rightSection={<small>{keyText("F2")}</small>} onClick={() => keys.rename()}>
          {t("menu.rename")}
        </Menu.Item>
        <Menu.Item leftSection={<Link2 size={15} />} rightSection={<small>{keyText("L")}</small>} onClick={() => keys.connectTo()}>
          {t("menu.connect")}
        </Menu.Item>
        {container && (
          <Menu.Item leftSection={<Plus size={15} />} onClick={() => keys.addInside(node, place)}>
            {t("menu.addInside")}
          </Menu.Item>
        )}
        {movable && (
          <Menu.Item leftSection={<BringToFront size={15} />} rightSection={<small>{keyText("I")}</small>} onClick={() => keys.moveInto()}>
            {t("menu.moveInto")}
          </Menu.Item>
        )}
        {undoable && (
          <Menu.Item leftSection={<Undo2 size={15} />} onClick={() => keys.addUndo(node, place)}>
            {t("menu.undo")}
          </Menu.Item>
        )}
        <Menu.Item leftSection={<CopyPlus size={15} />} rightSection={<small>{keyText("Ctrl D")}</small>} onClick={() => keys.duplicate()}>
          {t("menu.duplicate")}
        </Menu.Item>
        <Menu.Item leftSection={<Copy size={15} />} rightSection={<small>{keyText("Ctrl C")}</small>} onClick={() => void keys.copy()}>
          {t("menu.copy")}
        </Menu.Item>
        <Menu.Item leftSection={<Power size={15} />} rightSection={<small>{keyText("X")}</small>} onClick={() => keys.toggle()}>
          {disabled ? t("menu.enable") : t("menu.disable")}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item color="var(--err)" leftSection={<Trash2 size={15} />} rightSection={<small>{keyText("Delete")}</small>} onClick={() => keys.remove()}>
          {t("menu.delete")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
