import { Tooltip } from "@mantine/core";
import { LoaderCircle } from "lucide-react";
import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";

import { cx } from "./cx";
import { keyText } from "./keys";
import css from "./ui.module.css";

export type ButtonVariant = "default" | "primary" | "quiet" | "soft" | "danger" | "dangerFilled" | "link";
export type ButtonSize = "md" | "sm" | "lg";

/** The classes of a button, for links that look like one. */
export function buttonClass(variant: ButtonVariant = "default", size: ButtonSize = "md", more?: string): string {
  if (variant === "link") return cx(css.link, more);
  return cx(
    css.button,
    variant !== "default" && css[variant],
    size === "sm" && css.small,
    size === "lg" && css.large,
    more,
  );
}

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  variant?: ButtonVariant;
  size?: ButtonSize;
  icon?: ReactNode;
  /** Shows a spinner in place of the icon and takes no clicks. */
  busy?: boolean;
  wide?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({ variant, size, icon, busy, wide, className, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={buttonClass(variant, size, cx(wide && css.wide, className))}
      disabled={rest.disabled || busy}
      aria-busy={busy || undefined}
    >
      {busy ? <LoaderCircle size={15} className={css.spin} aria-hidden /> : icon}
      {children}
    </button>
  );
}

export interface IconButtonProps extends Omit<ButtonProps, "children" | "icon"> {
  /** What the button does: its accessible name and its tooltip. */
  label: string;
  icon: ReactNode;
  /** Shortcut shown in the tooltip. */
  keys?: string;
}

/** A button that shows only an icon; the label is its name and its tooltip. */
export function IconButton({ label, icon, keys, variant = "quiet", size, className, busy, ...rest }: IconButtonProps) {
  return (
    <Tooltip label={keys ? `${label} (${keyText(keys)})` : label} openDelay={400} multiline maw="min(320px, calc(100vw - 24px))" withinPortal>
      <button
        type="button"
        aria-label={label}
        {...rest}
        disabled={rest.disabled || busy}
        className={buttonClass(variant, size, cx(css.iconOnly, className))}
      >
        {busy ? <LoaderCircle size={15} className={css.spin} aria-hidden /> : icon}
      </button>
    </Tooltip>
  );
}
