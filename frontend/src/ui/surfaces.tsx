import { CircleX, Info, RefreshCw, TriangleAlert } from "lucide-react";
import type { CSSProperties, HTMLAttributes, ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { Button } from "./Button";
import { cx } from "./cx";
import { ApiError, NetworkError } from "./requestErrors";
import fields from "./fields.module.css";
import css from "./ui.module.css";

export interface CardProps extends HTMLAttributes<HTMLDivElement> {
  padded?: boolean;
}

export function Card({ padded, className, ...rest }: CardProps) {
  return <div {...rest} className={cx(css.card, padded && css.cardPad, className)} />;
}

export interface ChipProps extends HTMLAttributes<HTMLSpanElement> {
  tone?: "ok" | "err" | "run" | "wait" | "retry" | "idle" | "undo" | "accent";
  icon?: ReactNode;
}

const TONE_CLASS = {
  ok: css.toneOk,
  err: css.toneErr,
  run: css.toneRun,
  wait: css.toneWait,
  retry: css.toneRetry,
  idle: css.toneIdle,
  undo: css.toneUndo,
  accent: css.chipOn,
} as const;

export function Chip({ tone, icon, className, children, ...rest }: ChipProps) {
  return (
    <span {...rest} className={cx(css.chip, tone && TONE_CLASS[tone], className)}>
      {icon}
      {children}
    </span>
  );
}

/** A filter that is on or off. */
export function FilterChip(props: { on: boolean; onClick: () => void; icon?: ReactNode; children: ReactNode }) {
  return (
    <button
      type="button"
      aria-pressed={props.on}
      onClick={props.onClick}
      className={cx(css.chip, css.filter, props.on && css.chipOn)}
    >
      {props.icon}
      {props.children}
    </button>
  );
}

/** Line drawing made of our own cards, for places where nothing exists yet. */
function EmptyArt() {
  return (
    <svg className={css.emptyArt} width="132" height="96" viewBox="0 0 132 96" fill="none" aria-hidden>
      <path d="M66 31v12M66 62v6" stroke="currentColor" strokeWidth="1.75" />
      <path d="M62.5 40.5 66 44l3.5-3.5" stroke="currentColor" strokeWidth="1.75" strokeLinecap="round" strokeLinejoin="round" />
      {[5, 45].map((y, index) => (
        <g key={y}>
          <rect x="18" y={y} width="96" height="26" rx="7" fill="var(--surface)" stroke="currentColor" strokeWidth="1.5" />
          <rect x="25" y={y + 6} width="14" height="14" rx="4" fill={index ? "var(--cLogicS)" : "var(--cTriggerS)"} />
          <path d={`M46 ${y + 10}h34M46 ${y + 17}h22`} stroke="currentColor" strokeWidth="2" strokeLinecap="round" />
          <circle cx="104" cy={y + 13} r="4" stroke="var(--ok)" strokeWidth="1.5" />
        </g>
      ))}
      <rect x="18" y="70" width="96" height="22" rx="7" stroke="currentColor" strokeWidth="1.5" opacity=".5" />
    </svg>
  );
}

export interface EmptyStateProps {
  title: string;
  text?: ReactNode;
  actions?: ReactNode;
  /** Without the drawing, for "nothing matches". */
  plain?: boolean;
  /** The heading of the whole page, where there is no other. */
  first?: boolean;
}

export function EmptyState({ title, text, actions, plain, first }: EmptyStateProps) {
  const Heading = first ? "h1" : "h2";
  return (
    <div className={css.empty}>
      {!plain && <EmptyArt />}
      <Heading>{title}</Heading>
      {text !== undefined && <p>{text}</p>}
      {actions !== undefined && <div className={css.emptyActions}>{actions}</div>}
    </div>
  );
}

/** Says in words what went wrong with a request. */
export function useErrorText(): (error: unknown) => { title: string; text: string; requestId: string } {
  const { t, i18n } = useTranslation("common");
  return (error) => {
    if (error instanceof NetworkError) {
      return { title: t("error.network.title"), text: t("error.network.text"), requestId: "" };
    }
    if (error instanceof ApiError) {
      const known = `error.codes.${error.code}`;
      if (i18n.exists(known, { ns: "common" })) {
        const words = t(known, { ...error.params, returnObjects: false });
        return { title: words, text: error.detail === words ? "" : error.detail, requestId: error.requestId };
      }
      if (error.status === 403) {
        return { title: t("error.forbidden.title"), text: t("error.forbidden.text"), requestId: error.requestId };
      }
      if (error.status === 404) {
        return { title: t("error.notFound.title"), text: t("error.notFound.text"), requestId: error.requestId };
      }
      if (error.status >= 500) {
        return { title: t("error.server.title"), text: t("error.server.text"), requestId: error.requestId };
      }
      const text = error.detail && error.detail !== error.title ? error.detail : "";
      return { title: error.title, text, requestId: error.requestId };
    }
    return { title: t("error.unknown.title"), text: t("error.unknown.text"), requestId: "" };
  };
}

export interface ErrorCardProps {
  /** What failed, in the user's words: "The runs could not be loaded." */
  title?: string;
  error: unknown;
  onRetry?: () => void;
}

/** A failed region: what happened, what it means, what to do. The rest of the page keeps working. */
export function ErrorCard({ title, error, onRetry }: ErrorCardProps) {
  const { t } = useTranslation("common");
  const words = useErrorText()(error);
  return (
    <div className={css.error} role="alert">
      <div className={css.errorTitle}>
        <CircleX size={18} aria-hidden />
        <span>{title ?? words.title}</span>
      </div>
      {title !== undefined && <p>{words.title}</p>}
      {words.text && <p>{words.text}</p>}
      <div className={css.errorActions}>
        {onRetry && (
          <Button size="sm" icon={<RefreshCw size={14} aria-hidden />} onClick={onRetry}>
            {t("action.tryAgain")}
          </Button>
        )}
        {words.requestId && (
          <span className={fields.fieldHint}>
            {t("error.requestId")} <code>{words.requestId}</code>
          </span>
        )}
      </div>
    </div>
  );
}

/** A boxed remark: a hint, a warning, good news. */
export function Note(props: { tone?: "accent" | "wait" | "ok" | "err" | "idle"; icon?: ReactNode; children: ReactNode }) {
  const tone = props.tone ?? "accent";
  const icon = props.icon ?? (tone === "wait" || tone === "err" ? <TriangleAlert size={16} /> : <Info size={16} />);
  return (
    <div className={css.note} data-tone={tone}>
      {icon}
      <div>{props.children}</div>
    </div>
  );
}

export function Skeleton(props: { width?: number | string; height?: number; style?: CSSProperties }) {
  return (
    <span
      className={css.skeleton}
      style={{ width: props.width ?? "100%", height: props.height ?? 14, ...props.style }}
      aria-hidden
    />
  );
}

/** Rows in the place of a list that is still loading; announced once. */
export function SkeletonRows(props: { rows?: number; height?: number; label: string }) {
  return (
    <div aria-busy="true" style={{ display: "grid", gap: 10, padding: 18 }}>
      <span className="srOnly" role="status">
        {props.label}
      </span>
      {Array.from({ length: props.rows ?? 6 }, (_, row) => (
        <Skeleton key={row} height={props.height ?? 26} width={`${96 - ((row * 13) % 30)}%`} />
      ))}
    </div>
  );
}

export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/);
  const first = words[0]?.[0] ?? "?";
  const last = words.length > 1 ? (words.at(-1)?.[0] ?? "") : "";
  return (first + last).toUpperCase();
}

export function Avatar({ name }: { name: string }) {
  return (
    <span className={css.avatar} aria-hidden>
      {initialsOf(name)}
    </span>
  );
}
