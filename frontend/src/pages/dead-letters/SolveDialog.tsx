import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { refreshDeadLetters } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import { ConfirmDialog, ErrorCard, showToast, TextAreaField, TextField, useFormatter } from "../../ui";
import css from "./deadLetters.module.css";
import { lettersOf, solve } from "./letters";
import { countOf, type Target } from "./target";

const LONGEST = 400;

/** Says that nothing more is to be done about these, and why: put right elsewhere, or given up. */
export function SolveDialog({ how, target, onClose }: { how: "solve" | "discard"; target: Target; onClose: () => void }) {
  const { t } = useTranslation("deadLetters");
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const [told, setTold] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const count = countOf(target);
  const many = { count, number: format.number(count) };
  const words = (key: string) => t(`${how}.${key}`, many);
  const noReason = reason.trim() === "";
  const noCount = how === "discard" && typed.trim() !== String(count) && typed.trim() !== many.number;
  const act = useMutation({
    mutationFn: async () => {
      const letters = target.letters ?? (await lettersOf(workspace, target, count));
      await solve(workspace, how, letters, reason.trim());
    },
    onSettled: () => refreshDeadLetters(client, workspace),
    onSuccess: () => {
      showToast({ title: words("done") });
      onClose();
    },
  });
  useEffect(() => {
    if (told > 0) box.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [told]);
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={words("title")}
      confirm={words("confirm")}
      variant={how === "discard" ? "dangerFilled" : "primary"}
      busy={act.isPending}
      onConfirm={() => (noReason || noCount ? setTold(told + 1) : act.mutate())}
    >
      <div className={css.form} ref={box}>
        {act.isError && <ErrorCard title={words("failed")} error={act.error} />}
        <p>{words("text")}</p>
        <TextAreaField
          label={t("reason.label")}
          hint={t(`reason.${how}`)}
          error={told > 0 && noReason ? t("reason.missing") : undefined}
          data-autofocus
          aria-required
          maxLength={LONGEST}
          rows={3}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {how === "discard" && (
          <TextField
            label={t("discard.type", many)}
            error={told > 0 && noCount ? t("discard.wrong", many) : undefined}
            inputMode="numeric"
            autoComplete="off"
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        )}
      </div>
    </ConfirmDialog>
  );
}
