import { lazy, type RefObject, Suspense } from "react";

import type { Workflow } from "../../api/types";
import type { CanvasHandle } from "../../canvas";
import type { Change, GraphDocument } from "../../graph";
import { useEnabling } from "../workflow/EnableSwitch";
import type { Autosave } from "./autosave";
import { loadDialog } from "./later";
import type { TestRun } from "./testRun";
import { useUi } from "./uiStore";
import type { EditorCommands } from "./useEditorKeys";
import { usePaletteOffer } from "./usePaletteOffer";

export interface DialogsProps {
  workflow: Workflow;
  autosave: Autosave;
  changes: readonly Change[] | null;
  liveGraph: GraphDocument | null;
  canvas: RefObject<CanvasHandle | null>;
  test: TestRun;
  keys: EditorCommands;
}

const OpenDialog = lazy(loadDialog);

export function Dialogs(props: DialogsProps) {
  const open = useUi((state) => state.dialog !== null);
  const enabling = useEnabling(props.workflow);
  usePaletteOffer(props.workflow, props.keys, enabling.change);
  return (
    <>
      {open && (
        <Suspense>
          <OpenDialog {...props} />
        </Suspense>
      )}
      {enabling.dialog}
    </>
  );
}
