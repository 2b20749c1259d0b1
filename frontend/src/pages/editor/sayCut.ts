import type { useTranslation } from "react-i18next";

import { showToast } from "../../ui";

/** Says that links were cut where a step went into a container or out of one. */
export function sayCut(count: number, t: ReturnType<typeof useTranslation<["editor", "canvas"]>>["t"]): void {
  if (count > 0) showToast({ title: t("editor:toast.cut", { count }), tone: "info" });
}
