import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { GraphNode, Run } from "../../api/types";
import { useResume } from "../../api/waits";
import { JsonEditor } from "../../inspector/JsonEditor";
import { parseJson } from "../../inspector/jsonText";
import { ConfirmDialog, ErrorCard, showToast } from "../../ui";
import css from "./people.module.css";

interface GoOnNowProps {
  run: Run;
  node: GraphNode;
  onClose: () => void;
}

/** Asks before a step goes on without what it waits for, and with what instead. */
export default function GoOnNow({ run, node, onClose }: GoOnNowProps) {
  const { t } = useTranslation("runs");
  const [text, setText] = useState("");
  const resume = useResume(run.id, node.id);
  const parsed = parseJson(text.trim() ? text : "null");
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={t("signal.goOnTitle", { name: node.name })}
      confirm={t("signal.goOnConfirm")}
      busy={resume.isPending}
      disabled={!parsed.ok}
      onConfirm={() => {
        if (!parsed.ok) return;
        resume.mutate(parsed.value, {
          onSuccess: () => {
            showToast({ title: t("signal.wentOn") });
            onClose();
          },
        });
      }}
    >
      {resume.isError && <ErrorCard title={t("signal.goOnFailed")} error={resume.error} />}
      <p className={css.explains}>{t("signal.goOnText")}</p>
      <JsonEditor label={t("signal.data")} hint={t("signal.dataHint")} rows={5} value={text} onChange={setText} mayBeEmpty />
    </ConfirmDialog>
  );
}
