import { lazy, type RefObject, Suspense, useEffect } from "react";

import type { Workflow } from "../../api/types";
import type { CanvasHandle } from "../../canvas";
import type { Change, GraphDocument } from "../../graph";
import { useEnabling } from "../workflow/EnableSwitch";
import type { Autosave } from "./autosave";
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

const loadDialog = () => import("./OpenDialog");
const OpenDialog = lazy(loadDialog);
const REST_MS = 2500;

export function Dialogs(props: DialogsProps) {
  const open = useUi((state) => state.dialog !== null);
  useEffect(() => {
    // Before it is needed: who presses a key goes on typing at once, and may be offline by then.
    const timer = setTimeout(() => void loadDialog().catch(() => undefined), REST_MS);
    return () => clearTimeout(timer);
  }, []);
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
