import { FileX } from "lucide-react";
import type { ReactNode } from "react";

import css from "./preview.module.css";

/** Why a file is not shown here, in words; the way to download it stands beside it. */
export function NotShown({ children }: { children: ReactNode }) {
  return (
    <div className={css.notShown} role="status">
      <FileX size={22} aria-hidden />
      <p>{children}</p>
    </div>
  );
}
