import { NodeResizer, type NodeProps } from "@xyflow/react";
import { StickyNote } from "lucide-react";
import { memo, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { cx } from "../ui";
import css from "./canvas.module.css";
import { useCanvas, useCanvasStore } from "./canvasStore";

/** A note beside the flow. Double-click or Enter edits it; it never takes part in a run. */
export const NoteCard = memo(function NoteCard({ id, selected }: NodeProps) {
  const { t } = useTranslation("canvas");
  const store = useCanvasStore();
  const note = useCanvas((state) => state.notes.get(id));
  const canBuild = useCanvas((state) => state.mode === "build" && !state.readOnly);
  const active = useCanvas((state) => state.active === id);
  const [editing, setEditing] = useState(() => canBuild && note?.text === "");
  const box = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (editing) box.current?.focus();
  }, [editing]);
  if (!note) return null;
  return (
    <div
      className={cx(css.note, selected && css.noteSelected)}
      data-tint={note.tint}
      data-testid={`note-${id}`}
      data-step={id}
    >
      {canBuild && (
        <NodeResizer
          isVisible={selected}
          minWidth={160}
          maxWidth={480}
          minHeight={56}
          lineClassName={css.resizeLine ?? ""}
          handleClassName={css.resizeHandle ?? ""}
          onResizeEnd={(_event, size) =>
            store.getState().build?.changeNote(id, {
              size: { width: Math.round(size.width), height: Math.round(size.height) },
              position: { x: Math.round(size.x), y: Math.round(size.y) },
            })
          }
        />
      )}
      <StickyNote size={14} aria-hidden />
      {editing ? (
        <textarea
          ref={box}
          className="nodrag nowheel nopan"
          aria-label={t("noteText")}
          defaultValue={note.text}
          // At once: what is typed must not be lost when the card goes away.
          onChange={(event) => store.getState().build?.changeNote(id, { text: event.currentTarget.value })}
          onBlur={() => setEditing(false)}
          onKeyDown={(event) => {
            event.stopPropagation();
            if (event.key !== "Escape") return;
            const card = event.currentTarget.parentElement;
            event.currentTarget.blur();
            requestAnimationFrame(() => card?.querySelector("button")?.focus());
          }}
        />
      ) : (
        <button
          type="button"
          className={css.noteText}
          tabIndex={active ? 0 : -1}
          aria-label={note.text ? `${t("note")}: ${note.text}` : t("note")}
          onDoubleClick={(event) => {
            event.stopPropagation();
            if (canBuild) setEditing(true);
          }}
        >
          {note.text || <i>{t("noteEmpty")}</i>}
        </button>
      )}
    </div>
  );
});
