import { useBlocker } from "@tanstack/react-router";
import { AppWindow, RefreshCw } from "lucide-react";
import { useTranslation } from "react-i18next";

import { useNewVersion } from "../../api/session";
import { useEditor } from "../../inspector/EditorContext";
import { Button, Dialog } from "../../ui";
import type { Autosave } from "./autosave";
import css from "./states.module.css";

/** What has to be known about the whole editor, between its header and the canvas. */
export function EditorBars({ autosave, onTakeOver }: { autosave: Autosave; onTakeOver(): void }) {
  const { t } = useTranslation("editor");
  const elsewhere = useEditor((state) => state.locks.includes("tab"));
  const newer = useNewVersion();
  const reload = async (): Promise<void> => {
    await autosave.flush();
    location.reload();
  };
  return (
    <div role="status">
      {elsewhere && (
        <div className={css.bar} data-testid="bar-elsewhere">
          <AppWindow size={15} aria-hidden />
          {t("bar.elsewhere")}
          <Button variant="link" onClick={onTakeOver}>
            {t("bar.here")}
          </Button>
        </div>
      )}
      {newer && (
        <div className={css.bar} data-testid="bar-version">
          <RefreshCw size={15} aria-hidden />
          {t("bar.version")}
          <Button variant="link" onClick={() => void reload()}>
            {t("bar.reload")}
          </Button>
        </div>
      )}
    </div>
  );
}

/** Asks before edits that the server refused are left behind for another page. */
export function LeaveQuestion({ autosave }: { autosave: Autosave }) {
  const { t } = useTranslation("editor");
  const blocker = useBlocker({
    shouldBlockFn: async ({ current, next }) => {
      if (current.pathname === next.pathname || !autosave.dirty()) return false;
      const { status } = autosave.state.getState();
      // Offline, edits are kept on this computer and sent when the editor is opened again.
      if (status !== "failed" && status !== "conflict") return false;
      return !(await autosave.flush());
    },
    enableBeforeUnload: false,
    withResolver: true,
  });
  if (blocker.status !== "blocked") return null;
  return (
    <Dialog
      opened
      onClose={blocker.reset}
      title={t("leave.title")}
      footer={
        <>
          <Button onClick={blocker.proceed}>{t("leave.leave")}</Button>
          <Button variant="primary" onClick={blocker.reset}>
            {t("leave.stay")}
          </Button>
        </>
      }
    >
      <p>{t("leave.text")}</p>
    </Dialog>
  );
}
