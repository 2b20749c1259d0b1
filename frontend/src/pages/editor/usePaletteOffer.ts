import { ListTree, Play, Power, PowerOff, Rocket, WandSparkles } from "lucide-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import type { Workflow } from "../../api/types";
import { useEditor, useEnvironment } from "../../inspector/EditorContext";
import { type Command, keyText, useOffer } from "../../ui";
import { stepIcon } from "../../ui/stepIcons";
import { ui } from "./uiStore";
import type { EditorCommands } from "./useEditorKeys";

/** Ctrl+K in the editor also knows the steps of this workflow and what can be done with it. */
export function usePaletteOffer(workflow: Workflow, keys: EditorCommands, flip: (on: boolean) => void): void {
  const { t } = useTranslation("editor");
  const { goTo } = useEnvironment();
  const nodes = useEditor((state) => state.document.nodes);
  const specs = useEditor((state) => state.specs);
  const readOnly = useEditor((state) => state.readOnly);
  const { enabled } = workflow;
  const live = workflow.live !== null;
  const list = useMemo<Command[]>(() => {
    const steps = nodes.map((node): Command => ({
      id: node.id,
      group: "steps",
      label: node.name,
      aside: specs[node.type]?.title ?? node.type,
      icon: stepIcon(specs[node.type]?.icon),
      run: () => goTo(node.id),
    }));
    const outline: Command = {
      id: "outline", group: "actions", label: t("outline.title"), aside: keyText("O"), icon: ListTree, run: () => ui.set({ outline: true }),
    };
    if (readOnly) return [...steps, outline];
    const actions: Command[] = [
      { id: "test", group: "actions", label: t("offer.test"), aside: keyText("Ctrl Enter"), icon: Play, run: () => keys.test() },
      { id: "publish", group: "actions", label: t("offer.publish"), aside: keyText("Ctrl Shift P"), icon: Rocket, run: () => keys.publish() },
      { id: "tidy", group: "actions", label: t("offer.tidy"), aside: keyText("Shift T"), icon: WandSparkles, run: () => keys.tidy() },
      outline,
      ...(live
        ? [{ id: "enable", group: "actions" as const, label: t(enabled ? "offer.disable" : "offer.enable"), icon: enabled ? PowerOff : Power, run: () => flip(!enabled) }]
        : []),
    ];
    return [...steps, ...(nodes.length > 0 ? actions : [outline])];
  }, [nodes, specs, readOnly, enabled, live, keys, flip, goTo, t]);
  useOffer(list);
}
