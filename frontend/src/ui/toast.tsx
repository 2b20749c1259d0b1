import { notifications } from "@mantine/notifications";
import i18next from "i18next";
import { CircleCheck, CircleX, Info } from "lucide-react";
import type { ReactNode } from "react";

import { Button } from "./Button";

export interface Toast {
  title: string;
  text?: ReactNode;
  tone?: "ok" | "err" | "info";
  /** One thing that can be done about it, such as Undo. */
  action?: { label: string; run: () => void };
  /** Stays until it is hidden or closed. */
  stays?: boolean;
  /** At the left, where the middle is taken by buttons. A phone has them at the top anyway. */
  aside?: boolean;
}

const ICON: Record<NonNullable<Toast["tone"]>, ReactNode> = {
  ok: <CircleCheck size={18} color="var(--ok)" aria-hidden />,
  err: <CircleX size={18} color="var(--err)" aria-hidden />,
  info: <Info size={18} color="var(--accentInk)" aria-hidden />,
};

/** A short message at the bottom; stays 8 s (longer with an error) and pauses while it is hovered or focused. */
export function showToast({ title, text, tone = "ok", action, stays, aside }: Toast): string {
  const id = notifications.show({
    title,
    message: (
      <>
        {text}
        {action && (
          <Button
            variant="link"
            style={{ marginTop: text ? 6 : 2, display: "flex" }}
            onClick={() => {
              notifications.hide(id);
              action.run();
            }}
          >
            {action.label}
          </Button>
        )}
      </>
    ),
    icon: ICON[tone],
    color: "transparent",
    ...(aside && window.innerWidth >= 900 ? { position: "bottom-left" as const } : {}),
    closeButtonProps: { "aria-label": i18next.t("action.close", { ns: "common" }) },
    autoClose: stays ? false : tone === "err" ? 16_000 : 8_000,
    role: tone === "err" ? "alert" : "status",
  });
  return id;
}

export function hideToast(id: string): void {
  notifications.hide(id);
}
