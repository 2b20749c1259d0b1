import { Undo2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useCan } from "../../api/session";
import type { GraphDocument, Run } from "../../api/types";
import { Button, Dialog, isUndoIncomplete } from "../../ui";
import { runTitle } from "../runs/words";
import { focusTitle } from "./RunTitle";
import { isUndoable } from "./undo";
import css from "./undo.module.css";
import { UndoForm } from "./UndoForm";

/** In the bar of a run that has ended: undo what it did, after a look at what that would be. */
export function UndoRun({ run, graph, onChanged }: { run: Run; graph: GraphDocument | null; onChanged: () => void }) {
  const { t } = useTranslation("runs");
  const mayUndo = useCan("reviewer");
  const [opened, setOpened] = useState(false);
  const again = isUndoIncomplete(run);
  const close = () => setOpened(false);
  if (!mayUndo) return null;
  return (
    <>
      {isUndoable(run, graph) && (
        <Button className={css.barButton} variant={again ? "primary" : "default"} icon={<Undo2 size={15} aria-hidden />} onClick={() => setOpened(true)}>
          {t(again ? "undo.buttonAgain" : "undo.button")}
        </Button>
      )}
      <Dialog opened={opened} onClose={close} title={t("undo.title", { name: runTitle(run) })} size={600}>
        <UndoForm
          run={run}
          onClose={close}
          onUndone={() => {
            onChanged();
            focusTitle();
          }}
          onChanged={onChanged}
        />
      </Dialog>
    </>
  );
}
