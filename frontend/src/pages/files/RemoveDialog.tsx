import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { refreshFiles, removeFile, type StoredFile, useFileUses } from "../../api/files";
import { useWorkspace } from "../../api/session";
import { ConfirmDialog, ErrorCard, Note, showToast, SkeletonRows } from "../../ui";
import css from "./files.module.css";

/** Asks before a file is removed, and says what it is needed for. */
export function RemoveDialog({ file, onClose }: { file: StoredFile; onClose: () => void }) {
  const { t } = useTranslation("files");
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const uses = useFileUses(file.id);
  const used = uses.data ?? [];
  const remove = useMutation({
    mutationFn: () => removeFile(workspace, file.id, used.length > 0),
    onSuccess: async () => {
      onClose();
      showToast({ title: t("removed", { name: file.name }) });
      await refreshFiles(client, workspace);
    },
    // Something may have come to use it since.
    onError: () => uses.refetch(),
  });
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={t("remove.title", { name: file.name })}
      confirm={used.length > 0 ? t("remove.anyway") : t("remove.confirm")}
      variant="dangerFilled"
      busy={remove.isPending}
      disabled={!uses.data}
      onConfirm={() => remove.mutate()}
    >
      {remove.isError && <ErrorCard title={t("remove.failed")} error={remove.error} />}
      {uses.isError && <ErrorCard title={t("remove.usesFailed")} error={uses.error} onRetry={() => void uses.refetch()} />}
      {uses.isPending && <SkeletonRows rows={2} height={16} label={t("remove.looking")} />}
      {used.length > 0 && (
        <Note tone="wait">
          <p>{t("remove.used", { count: used.length })}</p>
          <ul className={css.uses}>
            {used.map((one) => (
              <li key={one.id}>
                <Link to="/workflows/$id/build" params={{ id: one.id }}>
                  {one.name}
                </Link>
                {one.steps.length > 0 && `: ${one.steps.join(", ")}`}
                {!one.live && ` ${t("remove.onlyDraft")}`}
                {!one.draft && ` ${t("remove.onlyLive")}`}
              </li>
            ))}
          </ul>
        </Note>
      )}
      {uses.data && (
        <p>
          {file.run_id ? t("remove.ofRun") : t("remove.ofPerson")} {t("remove.forGood")}
        </p>
      )}
    </ConfirmDialog>
  );
}
