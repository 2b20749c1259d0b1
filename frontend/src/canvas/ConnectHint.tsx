import { type ConnectionLineComponentProps, getSmoothStepPath, useConnection, useStore, useStoreApi } from "@xyflow/react";
import { Ban, MousePointerClick } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { UNDO_HANDLE } from "../graph";
import { useCanvasStore } from "./canvasStore";
import css from "./link.module.css";

/** The link while it is being drawn. */
export function NewLink(props: ConnectionLineComponentProps) {
  const [path] = getSmoothStepPath({
    sourceX: props.fromX,
    sourceY: props.fromY,
    sourcePosition: props.fromPosition,
    targetX: props.toX,
    targetY: props.toY,
    targetPosition: props.toPosition,
    borderRadius: 12,
  });
  const bad = props.connectionStatus === "invalid";
  const undo = props.fromHandle.id === UNDO_HANDLE;
  return (
    <path d={path} className={css.newLink} data-bad={bad} data-undo={undo} markerEnd={`url(#mr-arrow-${bad ? "err" : undo ? "undo" : "accent"})`} />
  );
}

/** Says why a link may not end here, and what to do after a port was clicked. */
export function ConnectHint() {
  const { t } = useTranslation("canvas");
  const store = useCanvasStore();
  const rfStore = useStoreApi();
  const clicked = useStore((state) => state.connectionClickStartHandle);
  const attempt = useConnection((state) =>
    state.inProgress && state.isValid === false && state.toHandle && state.fromHandle && state.fromHandle.nodeId !== state.toHandle.nodeId
      ? `${state.fromHandle.nodeId}\n${state.fromHandle.id ?? "out"}\n${state.toHandle.nodeId}\n${state.toHandle.id ?? "in"}`
      : null,
  );
  useEffect(() => {
    if (!clicked) return;
    const cancel = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      rfStore.setState({ connectionClickStartHandle: null });
    };
    window.addEventListener("keydown", cancel, true);
    return () => window.removeEventListener("keydown", cancel, true);
  }, [clicked, rfStore]);
  if (attempt) {
    const [source = "", sourceHandle = "", target = "", targetHandle = ""] = attempt.split("\n");
    const reason = store.getState().build?.refusal({ source, sourceHandle, target, targetHandle });
    if (!reason) return null;
    return (
      <output className={css.reason} data-bad="true">
        <Ban size={16} aria-hidden /> {t(reason.key, reason.params)}
      </output>
    );
  }
  if (!clicked) return null;
  return (
    <output className={css.reason} data-connecting>
      <MousePointerClick size={16} aria-hidden /> {t(clicked.id === UNDO_HANDLE ? "connectHintUndo" : "connectHint")}
    </output>
  );
}
