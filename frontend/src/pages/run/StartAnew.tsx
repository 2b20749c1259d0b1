import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { api, keyForEach } from "../../api/client";
import { useRetryPlan, workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { Run } from "../../api/types";
import { Button, ErrorCard, Note } from "../../ui";
import css from "./retry.module.css";
import { VersionChoice } from "./VersionChoice";

/** Another run with the same data: all is done anew, also what this run did outside. */
export function StartAnew(props: { run: Run; onClose: () => void; onStarted: (run: Run) => void }) {
  const { t } = useTranslation(["runs", "common"]);
  const workspace = useWorkspace().id;
  const { run } = props;
  const versions = useRetryPlan(run, [], null).data?.versions ?? [];
  const [version, setVersion] = useState<number | null>(null);
  const [keyOf] = useState(keyForEach);
  const start = useMutation({
    mutationFn: () => {
      const body = { version };
      return api.post<Run>(`${workspacePath(workspace)}/runs/${run.id}/replay`, body, { idempotencyKey: keyOf(body) });
    },
    onSuccess: props.onStarted,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!start.isPending) start.mutate();
  };
  return (
    <form onSubmit={submit} className={css.form}>
      {start.isError && <ErrorCard title={t("anew.failed")} error={start.error} />}
      <Note tone="wait">{t("anew.text")}</Note>
      <VersionChoice
        legend={t("anew.version")}
        versions={versions}
        chosen={version ?? versions[0] ?? 0}
        onChange={setVersion}
      />
      <div className={css.foot}>
        <Button onClick={props.onClose}>{t("common:action.cancel")}</Button>
        <Button type="submit" variant="primary" busy={start.isPending}>
          {t("anew.confirm")}
        </Button>
      </div>
    </form>
  );
}
