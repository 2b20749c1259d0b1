import { useReactFlow, useStore } from "@xyflow/react";
import { ListTree, LocateFixed, Maximize, Minus, Plus, Undo2, WandSparkles } from "lucide-react";
import { useTranslation } from "react-i18next";

import { IconButton } from "../ui";
import css from "./canvas.module.css";
import { showsUndoLinks, useCanvas, useCanvasStore } from "./canvasStore";

export interface ZoomBarProps {
  onFit: () => void;
  onTidy?: (() => void) | undefined;
  tidying?: boolean;
  onOutline?: (() => void) | undefined;
  place?: "bottom" | "top";
  /** In a run: whether the view goes along with the step at work. */
  following?: boolean;
  onFollow?: ((on: boolean) => void) | undefined;
}

/** Zoom, fit, and what else concerns the whole picture. Stands inside FlowCanvas. */
export function ZoomBar({ onFit, onTidy, tidying, onOutline, place = "bottom", following = false, onFollow }: ZoomBarProps) {
  const { t } = useTranslation("canvas");
  const rf = useReactFlow();
  const percent = useStore((state) => Math.round(state.transform[2] * 100));
  const store = useCanvasStore();
  const undoing = useCanvas((state) => state.undoes.size > 0);
  const shown = useCanvas(showsUndoLinks);
  return (
    <div className={css.zoomBar} data-place={place} role="toolbar" aria-label={t("view")}>
      <IconButton label={t("zoomOut")} keys="Ctrl −" icon={<Minus size={16} />} onClick={() => void rf.zoomOut({ duration: 120 })} />
      <button type="button" className={css.zoomValue} aria-label={t("zoomReset", { percent })} onClick={() => void rf.zoomTo(1, { duration: 120 })}>
        {percent}%
      </button>
      <IconButton label={t("zoomIn")} keys="Ctrl +" icon={<Plus size={16} />} onClick={() => void rf.zoomIn({ duration: 120 })} />
      <i />
      <IconButton label={t("fit")} keys="1" icon={<Maximize size={16} />} onClick={onFit} />
      {onFollow && (
        <IconButton label={t("follow")} icon={<LocateFixed size={16} />} className={css.toggle ?? ""} aria-pressed={following} onClick={() => onFollow(!following)} />
      )}
      {undoing && (
        <IconButton
          label={t("undoLinks")}
          keys="U"
          icon={<Undo2 size={16} />}
          className={css.toggle ?? ""}
          aria-pressed={shown}
          onClick={() => store.setState({ undoLinks: !shown })}
        />
      )}
      {onTidy && <IconButton label={t("tidy")} keys="Shift T" icon={<WandSparkles size={16} />} busy={tidying ?? false} onClick={onTidy} />}
      {onOutline && <IconButton label={t("outline")} keys="O" icon={<ListTree size={16} />} onClick={onOutline} />}
    </div>
  );
}
