import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api, newIdempotencyKey } from "../../api/client";
import { EXAMPLE, workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { Workflow } from "../../api/types";
import { Button, Dialog, ErrorCard, RadioGroup, TextField } from "../../ui";

type Origin = "blank" | "example" | "undoExample" | "peopleExample" | "batchExample" | "reconcileExample" | "reviewExample";

/** The examples by the name under which the server knows them. */
const EXAMPLES = {
  example: EXAMPLE,
  undoExample: "Payment run with undo",
  peopleExample: "Refund with approval",
  batchExample: "Month-end statements",
  reconcileExample: "Bank statement reconciliation",
  reviewExample: "Supplier payment run",
} as const;

export function NewWorkflowDialog({ onClose, origin = "blank" }: { onClose: () => void; origin?: Origin }) {
  const { t } = useTranslation(["workflows", "common"]);
  const workspace = useWorkspace().id;
  const navigate = useNavigate();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [from, setFrom] = useState<Origin>(origin);
  const [tried, setTried] = useState(false);
  // One key for this dialog: pressing twice, or again after a lost answer, makes one workflow.
  const key = useMemo(newIdempotencyKey, [from, name]); // oxlint-disable-line react-hooks/exhaustive-deps -- another wish, another key
  const create = useMutation({
    mutationFn: () =>
      api.post<Workflow>(
        `${workspacePath(workspace)}/workflows`,
        { name: name.trim(), ...(from === "blank" ? {} : { from_example: EXAMPLES[from] }) },
        { idempotencyKey: key },
      ),
    onSuccess: (workflow) => {
      void client.invalidateQueries({ queryKey: [workspace, "workflows"] });
      void navigate({ to: "/workflows/$id/build", params: { id: workflow.id } });
    },
  });
  const fieldError = create.error instanceof ApiError ? create.error.fields.name?.join(" ") : undefined;
  return (
    <Dialog opened onClose={onClose} title={t("new.title")}>
      <form
        noValidate
        style={{ display: "grid", gap: 16 }}
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (name.trim()) create.mutate();
        }}
      >
        {create.isError && !fieldError && <ErrorCard title={t("new.failed")} error={create.error} />}
        <TextField
          label={t("new.name")}
          placeholder={t("new.namePlaceholder")}
          value={name}
          data-autofocus
          maxLength={120}
          onChange={(event) => setName(event.currentTarget.value)}
          error={fieldError ?? (tried && !name.trim() ? t("common:validation.required") : undefined)}
        />
        <RadioGroup
          legend={t("new.from")}
          name="origin"
          value={from}
          onChange={(value) => setFrom(value as Origin)}
          choices={[
            { value: "blank", label: t("new.blank"), hint: t("new.blankHint") },
            { value: "example", label: t("new.example"), hint: t("new.exampleHint") },
            { value: "undoExample", label: t("new.undoExample"), hint: t("new.undoExampleHint") },
            { value: "peopleExample", label: t("new.peopleExample"), hint: t("new.peopleExampleHint") },
            { value: "batchExample", label: t("new.batchExample"), hint: t("new.batchExampleHint") },
            { value: "reconcileExample", label: t("new.reconcileExample"), hint: t("new.reconcileExampleHint") },
            { value: "reviewExample", label: t("new.reviewExample"), hint: t("new.reviewExampleHint") },
          ]}
        />
        <div style={{ display: "flex", justifyContent: "flex-end", gap: 10 }}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={create.isPending}>
            {t("new.create")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
