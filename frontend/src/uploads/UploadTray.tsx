import { useTranslation } from "react-i18next";
import { useShallow } from "zustand/shallow";

import { useWorkspace } from "../api/session";
import { useUploadStore } from "./store";
import { UploadLines } from "./UploadLine";
import css from "./uploads.module.css";

/** What is on its way here, at the foot of every page that does not show it by itself. */
export default function UploadTray() {
  const { t } = useTranslation("files");
  const workspace = useWorkspace().id;
  const here = useUploadStore(
    useShallow(({ queue, shown }) =>
      queue.filter((one) => one.state !== "done" && one.workspace === workspace && !shown[one.owner]),
    ),
  );
  if (here.length === 0) return null;
  return (
    <section className={css.tray} aria-label={t("uploads")}>
      <h2>{t("tray", { count: here.length })}</h2>
      <UploadLines queue={here} label={t("uploads")} tray />
    </section>
  );
}
