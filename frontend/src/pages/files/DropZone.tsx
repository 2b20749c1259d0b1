import { Upload } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import css from "./files.module.css";

const holdsFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;

/** While files are dragged over the window, all of it takes them. */
export function DropZone({ onFiles }: { onFiles: (files: File[]) => void }) {
  const { t } = useTranslation("files");
  const [over, setOver] = useState(false);
  useEffect(() => {
    // Every element under the pointer is entered and left: only whether they come out even says where it is.
    let depth = 0;
    const enter = (event: DragEvent): void => {
      if (!holdsFiles(event)) return;
      depth += 1;
      setOver(true);
    };
    const leave = (event: DragEvent): void => {
      if (!holdsFiles(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const hover = (event: DragEvent): void => {
      if (holdsFiles(event)) event.preventDefault();
    };
    const drop = (event: DragEvent): void => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      // A folder is none: it has no bytes to be sent.
      const dropped = [...(event.dataTransfer?.items ?? [])].filter((item) => !item.webkitGetAsEntry?.()?.isDirectory);
      onFiles(dropped.flatMap((item) => item.getAsFile() ?? []));
    };
    const listeners = { dragenter: enter, dragleave: leave, dragover: hover, drop };
    for (const [name, listener] of Object.entries(listeners)) window.addEventListener(name, listener as EventListener);
    return () => {
      for (const [name, listener] of Object.entries(listeners)) window.removeEventListener(name, listener as EventListener);
    };
  }, [onFiles]);
  if (!over) return null;
  return (
    <div className={css.drop} aria-hidden>
      <div>
        <Upload size={28} />
        <b>{t("drop")}</b>
      </div>
    </div>
  );
}
