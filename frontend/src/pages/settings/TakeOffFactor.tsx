import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { Member } from "../../api/types";
import { ConfirmDialog, ErrorCard, showToast } from "../../ui";

/** For who lost the authenticator app and the recovery codes. */
export function TakeOffFactor({ member, onClose }: { member: Member; onClose: () => void }) {
  const { t } = useTranslation("access");
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const name = member.name || member.email;
  const takeOff = useMutation({
    mutationFn: () => api.delete(`${workspacePath(workspace)}/members/${member.id}/second-factor`),
    onSuccess: async () => {
      onClose();
      showToast({ title: t("factor.takenOff", { name }) });
      await client.invalidateQueries({ queryKey: [workspace, "members"] });
    },
  });
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={t("factor.takeOffTitle", { name })}
      confirm={t("factor.takeOffDo")}
      variant="dangerFilled"
      busy={takeOff.isPending}
      onConfirm={() => takeOff.mutate()}
    >
      {takeOff.isError && <ErrorCard title={t("factor.takeOffFailed")} error={takeOff.error} />}
      <p>{t("factor.takeOffText", { name })}</p>
    </ConfirmDialog>
  );
}
