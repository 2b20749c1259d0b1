import { createElement } from "react";

import { stepIcon } from "./stepIcons";
import css from "./ui.module.css";

export interface TileProps {
  /** lucide icon name, as step types give it. */
  icon: string | undefined;
  category: "start" | "app" | "logic" | "loop" | "people" | "data";
  size?: "md" | "sm";
}

/** The tinted square with the icon of a step type. Decorative: the name always stands beside it. */
export function Tile({ icon, category, size = "md" }: TileProps) {
  return (
    <span className={css.tile} data-category={category} data-size={size} aria-hidden>
      {createElement(stepIcon(icon), { size: size === "md" ? 20 : 16 })}
    </span>
  );
}
