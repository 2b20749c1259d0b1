import { ZoomIn, ZoomOut } from "lucide-react";
import { useTranslation } from "react-i18next";

import { IconButton, useFormatter } from "../ui";
import css from "./preview.module.css";
import { zoomed } from "./pages";

/** Smaller, larger, and how large it is. */
export function Zoom({ zoom, onZoom }: { zoom: number; onZoom: (zoom: number) => void }) {
  const { t } = useTranslation("preview");
  const format = useFormatter();
  return (
    <span className={css.zoom}>
      <IconButton size="sm" label={t("smaller")} keys="-" icon={<ZoomOut size={16} />} disabled={zoomed(zoom, -1) === zoom} onClick={() => onZoom(zoomed(zoom, -1))} />
      <span className="tn">{format.number(zoom, { style: "percent" })}</span>
      <IconButton size="sm" label={t("larger")} keys="+" icon={<ZoomIn size={16} />} disabled={zoomed(zoom, 1) === zoom} onClick={() => onZoom(zoomed(zoom, 1))} />
    </span>
  );
}
