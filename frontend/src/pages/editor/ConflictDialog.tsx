import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { useEditor } from "../../inspector/EditorContext";
import { Button, Dialog, Time } from "../../ui";
import type { Autosave } from "./autosave";

/** Two people changed the same step: one of the two versions has to be chosen. */
export function ConflictDialog({ autosave }: { autosave: Autosave }) {
  const { t } = useTranslation("editor");
  const theirs = useStore(autosave.state, (state) => state.theirs);
  const document = useEditor((state) => state.document);
  if (!theirs) return null;
  const names = theirs.steps.map(
    (id) => (document.nodes.find((node) => node.id === id) ?? theirs.graph.nodes.find((node) => node.id === id))?.name ?? id,
  );
  const who = theirs.by ?? t("conflict.somebody");
  return (
    <Dialog
      opened
      stubborn
      onClose={() => undefined}
      title={t("conflict.title", { who })}
      footer={
        <>
          <Button onClick={() => autosave.takeTheirs()}>{t("conflict.theirs")}</Button>
          <Button variant="primary" onClick={() => autosave.keepMine()}>
            {t("conflict.mine")}
          </Button>
        </>
      }
    >
      <p>
        {t("conflict.text", { names: names.join(", "), who })} <Time at={theirs.at} />
      </p>
      <p>{t("conflict.effect")}</p>
    </Dialog>
  );
}
