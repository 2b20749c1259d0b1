import { Menu } from "@mantine/core";
import { Copy, CopyPlus, Link2, Pencil, Power, Trash2 } from "lucide-react";
import { useTranslation } from "react-i18next";

import { useEditor } from "../../inspector/EditorContext";
import { type Place, ui } from "./uiStore";
import type { EditorCommands } from "./useEditorKeys";

/** The menu of a card, at the pointer. */
export function StepMenu({ node, place, keys }: { node: string; place: Place; keys: EditorCommands }) {
  const { t } = useTranslation("editor");
  const disabled = useEditor((state) => state.document.nodes.find((other) => other.id === node)?.settings.disabled ?? false);
  const close = (): void => ui.set({ menu: null });
  return (
    <Menu opened onChange={(opened) => !opened && close()} position="bottom-start" shadow="lg" width={232} withinPortal>
      <Menu.Target>
        <span style={{ position: "fixed", left: place.clientX, top: place.clientY }} />
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<Pencil size={15} />} rightSection={<small>F2</small>} onClick={() => keys.rename()}>
          {t("menu.rename")}
        </Menu.Item>
        <Menu.Item leftSection={<Link2 size={15} />} rightSection={<small>L</small>} onClick={() => keys.connectTo()}>
          {t("menu.connect")}
        </Menu.Item>
        <Menu.Item leftSection={<CopyPlus size={15} />} rightSection={<small>Ctrl D</small>} onClick={() => keys.duplicate()}>
          {t("menu.duplicate")}
        </Menu.Item>
        <Menu.Item leftSection={<Copy size={15} />} rightSection={<small>Ctrl C</small>} onClick={() => void keys.copy()}>
          {t("menu.copy")}
        </Menu.Item>
        <Menu.Item leftSection={<Power size={15} />} rightSection={<small>X</small>} onClick={() => keys.toggle()}>
          {disabled ? t("menu.enable") : t("menu.disable")}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item color="var(--err)" leftSection={<Trash2 size={15} />} rightSection={<small>Del</small>} onClick={() => keys.remove()}>
          {t("menu.delete")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
