import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useWorkflows } from "../../api/queries";
import { useSetHold } from "../../api/retention";
import { Button, Dialog, ErrorCard, RadioGroup, SelectField, showToast, TextField } from "../../ui";
import css from "./settings.module.css";

/** Hold a workflow, or the runs with a key. */
export default function HoldDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(["retention", "common"]);
  const workflows = useWorkflows({}, 200);
  const hold = useSetHold();
  const [what, setWhat] = useState<"workflow" | "key">("workflow");
  const [workflow, setWorkflow] = useState("");
  const [key, setKey] = useState("");
  const [reason, setReason] = useState("");
  const known = workflows.data?.pages.flatMap((page) => page.items) ?? [];
  const named = what === "workflow" ? workflow !== "" : key.trim() !== "";
  return (
    <Dialog opened onClose={onClose} title={t("hold.add")}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          const of = what === "workflow" ? { workflow } : { key: key.trim() };
          hold.mutate(
            { ...of, reason: reason.trim() },
            {
              onSuccess: () => {
                onClose();
                showToast({ title: t("hold.set") });
              },
            },
          );
        }}
      >
        {hold.isError && <ErrorCard title={t("hold.failed")} error={hold.error} />}
        <RadioGroup
          legend={t("hold.what")}
          name="what"
          value={what}
          choices={[
            { value: "workflow", label: t("hold.ofWorkflow") },
            { value: "key", label: t("hold.ofKey") },
          ]}
          onChange={(value) => setWhat(value as "workflow" | "key")}
        />
        {what === "workflow" ? (
          <SelectField
            label={t("hold.workflow")}
            value={workflow}
            options={[{ value: "", label: t("hold.choose") }, ...known.map((one) => ({ value: one.id, label: one.name }))]}
            onChange={setWorkflow}
          />
        ) : (
          <TextField label={t("hold.key")} hint={t("hold.keyHint")} value={key} maxLength={200} onChange={(event) => setKey(event.currentTarget.value)} />
        )}
        <TextField label={t("hold.reason")} hint={t("hold.reasonHint")} value={reason} maxLength={400} required onChange={(event) => setReason(event.currentTarget.value)} />
        <div style={{ display: "flex", justifyContent: "flex-end", gap: 10 }}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={hold.isPending} disabled={!named || reason.trim() === ""}>
            {t("hold.confirm")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
