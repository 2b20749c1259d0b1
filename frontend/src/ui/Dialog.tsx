import { Modal } from "@mantine/core";
import type { FormEvent, ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { Button, type ButtonVariant } from "./Button";
import { useGiveBack } from "./giveBack";
import css from "./ui.module.css";

export interface DialogProps {
  opened: boolean;
  onClose: () => void;
  title: ReactNode;
  children: ReactNode;
  footer?: ReactNode;
  size?: number | string;
  /** Without a way out: the session has ended. */
  stubborn?: boolean;
  /** Takes all of the screen. */
  fullScreen?: boolean;
}

/** A dialog over the page: focus stays in it, Esc closes it, focus returns to what opened it. */
export function Dialog({ opened, onClose, title, children, footer, size = 480, stubborn = false, fullScreen = false }: DialogProps) {
  const { t } = useTranslation("common");
  useGiveBack(opened);
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={title}
      size={size}
      centered
      fullScreen={fullScreen}
      radius={fullScreen ? 0 : 12}
      padding={0}
      withCloseButton={!stubborn}
      closeOnClickOutside={false}
      lockScroll={false}
      closeOnEscape={!stubborn}
      closeButtonProps={{ "aria-label": t("action.close") }}
      overlayProps={{ color: "var(--scrim)", backgroundOpacity: 1 }}
      transitionProps={{ duration: 120 }}
      styles={{
        title: { fontWeight: 600, fontSize: 15, lineHeight: "20px" },
        header: { padding: "14px 14px 10px 20px", background: "var(--raised)" },
        content: { background: "var(--raised)", boxShadow: "var(--shadowLg)" },
        overlay: { background: "var(--scrim)" },
      }}
    >
      <div className={css.dialogBody}>{children}</div>
      {footer !== undefined ? <div className={css.dialogFoot}>{footer}</div> : <div style={{ height: 18 }} />}
    </Modal>
  );
}

export interface ConfirmDialogProps {
  opened: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  /** In place of "Cancel", where that would say the opposite. */
  dismiss?: string;
  /** The verb, with its number: "Delete 3 steps". */
  confirm: string;
  onConfirm: () => void;
  busy?: boolean;
  disabled?: boolean;
  variant?: ButtonVariant;
}

/** Asks before something that cannot be taken back. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { t } = useTranslation("common");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!props.disabled && !props.busy) props.onConfirm();
  };
  return (
    <Dialog opened={props.opened} onClose={props.onClose} title={props.title}>
      <form onSubmit={submit} style={{ display: "grid", gap: 16 }}>
        {props.children}
        <div style={{ display: "flex", justifyContent: "flex-end", gap: 10 }}>
          <Button onClick={props.onClose}>{props.dismiss ?? t("action.cancel")}</Button>
          <Button type="submit" variant={props.variant ?? "primary"} busy={props.busy ?? false} disabled={props.disabled}>
            {props.confirm}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
