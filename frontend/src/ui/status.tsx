/** One word, one icon and one colour for each state that a run or a step can be in. */
import {
  Ban,
  CircleCheck,
  CircleDashed,
  CircleMinus,
  CirclePause,
  CircleX,
  Clock,
  Hourglass,
  LoaderCircle,
  type LucideIcon,
  RotateCcw,
  Undo2,
  User,
} from "lucide-react";
import { useTranslation } from "react-i18next";

import { cx } from "./cx";
import css from "./ui.module.css";

export type RunStatus =
  | "accepted"
  | "running"
  | "waiting_timer"
  | "waiting_event"
  | "waiting_human"
  | "parked"
  | "compensating"
  | "completed"
  | "compensated"
  | "cancelled"
  | "dead_lettered";

export type StepStatus =
  | "ready"
  | "running"
  | "retrying"
  | "waiting"
  | "succeeded"
  | "failed"
  | "skipped"
  | "cancelled";

export type StatusKind =
  | "done"
  | "done_with_failures"
  | "stopped"
  | "filtered"
  | "failed"
  | "solved"
  | "running"
  | "waiting"
  | "waiting_event"
  | "waiting_person"
  | "retrying"
  | "queued"
  | "not_started"
  | "parked"
  | "held"
  | "skipped"
  | "cancelled"
  | "undoing"
  | "undone"
  | "undo_incomplete";

type Tone = "Ok" | "Err" | "Run" | "Wait" | "Retry" | "Idle" | "Undo";

const LOOKS: Record<StatusKind, { icon: LucideIcon; tone: Tone }> = {
  done: { icon: CircleCheck, tone: "Ok" },
  done_with_failures: { icon: CircleCheck, tone: "Retry" },
  stopped: { icon: CircleCheck, tone: "Ok" },
  filtered: { icon: CircleMinus, tone: "Idle" },
  failed: { icon: CircleX, tone: "Err" },
  solved: { icon: CircleCheck, tone: "Idle" },
  running: { icon: LoaderCircle, tone: "Run" },
  waiting: { icon: Hourglass, tone: "Wait" },
  waiting_event: { icon: Hourglass, tone: "Wait" },
  waiting_person: { icon: User, tone: "Wait" },
  retrying: { icon: RotateCcw, tone: "Retry" },
  queued: { icon: Clock, tone: "Idle" },
  not_started: { icon: CircleDashed, tone: "Idle" },
  parked: { icon: CirclePause, tone: "Wait" },
  held: { icon: CirclePause, tone: "Wait" },
  skipped: { icon: CircleMinus, tone: "Idle" },
  cancelled: { icon: Ban, tone: "Idle" },
  undoing: { icon: Undo2, tone: "Undo" },
  undone: { icon: Undo2, tone: "Undo" },
  undo_incomplete: { icon: Undo2, tone: "Err" },
};

/** CSS colour of a status, for charts and for what is drawn. */
export function statusColour(kind: StatusKind): string {
  return `var(--${LOOKS[kind].tone.toLowerCase()})`;
}

export function stepStatusKind(
  step: { status: StepStatus; wait: { kind: string } | null; items?: { failed: number; failed_inside?: number; failed_calls?: number } | null } | undefined,
): StatusKind {
  switch (step?.status) {
    case undefined:
      return "not_started";
    case "ready":
      return "queued";
    case "running":
      return "running";
    case "retrying":
      return "retrying";
    case "waiting":
      // Its items work on.
      if (step?.wait?.kind === "children") return "running";
      if (step?.wait?.kind === "human") return "waiting_person";
      return step?.wait?.kind === "event" ? "waiting_event" : "waiting";
    case "succeeded":
      return step.items?.failed || step.items?.failed_inside || step.items?.failed_calls ? "done_with_failures" : "done";
    case "failed":
      return "failed";
    case "skipped":
      return "skipped";
    case "cancelled":
      return "cancelled";
  }
}

export function runStatusKind(run: {
  status: RunStatus;
  outcome: string | null;
  waiting?: { kind: string; asking_item?: number | null; held_workflow?: string | null } | null;
  paused?: boolean;
  failed_items?: number;
  failed_calls?: number;
  error?: { code: string } | null;
  /** Where the error itself is not told. */
  undo_incomplete?: boolean;
  /** It failed, and somebody said since that nothing more is to be done. */
  solved?: object | null;
}): StatusKind {
  if (run.paused) return "parked";
  // Accepted, and kept by its workflow until that goes on.
  if (run.status === "accepted" && run.waiting?.kind === "held") return "held";
  if (run.status.startsWith("waiting") && run.waiting?.kind === "children") {
    if (run.waiting.held_workflow != null) return "waiting";
    return run.waiting.asking_item == null ? "running" : "waiting_person";
  }
  switch (run.status) {
    case "accepted":
      return "queued";
    case "running":
      return "running";
    case "waiting_timer":
      return run.waiting?.kind === "retry" ? "retrying" : "waiting";
    case "waiting_event":
      return "waiting_event";
    case "waiting_human":
      return "waiting_person";
    case "parked":
      return "parked";
    case "compensating":
      return "undoing";
    case "compensated":
      return "undone";
    case "cancelled":
      return "cancelled";
    case "dead_lettered":
      if (run.solved) return "solved";
      return isUndoIncomplete(run) ? "undo_incomplete" : "failed";
    case "completed":
      if (run.outcome === "done_with_failures" || run.outcome === "stopped" || run.outcome === "filtered" || run.outcome === "skipped") {
        return run.outcome;
      }
      // Its steps came to an end, and that is not all there is to say.
      return run.failed_items || run.failed_calls ? "done_with_failures" : "done";
  }
}

/** It was to be undone, and something that it did is still done. */
export function isUndoIncomplete(run: { status: RunStatus; error?: { code: string } | null; undo_incomplete?: boolean }): boolean {
  return run.status === "dead_lettered" && (run.undo_incomplete ?? run.error?.code === "undo_incomplete");
}

export function runIsFinished(run: { status: RunStatus }): boolean {
  return ["completed", "compensated", "cancelled", "dead_lettered"].includes(run.status);
}

export interface StatusIconProps {
  kind: StatusKind;
  size?: number;
  /** Leave out the accessible name where the word stands beside the icon. */
  decorative?: boolean;
  className?: string;
}

export function StatusIcon({ kind, size = 16, decorative, className }: StatusIconProps) {
  const { t } = useTranslation("common");
  const { icon: Icon, tone } = LOOKS[kind];
  const name = t(`status.${kind}`);
  return (
    <span
      className={cx(css[`tone${tone}`], className)}
      data-status={kind}
      {...(decorative ? { "aria-hidden": true } : { role: "img", "aria-label": name, title: name })}
    >
      <Icon size={size} className={kind === "running" ? css.spin : undefined} aria-hidden />
    </span>
  );
}

export interface StatusChipProps {
  kind: StatusKind;
  /** Replaces the word. */
  label?: string;
}

export function StatusChip({ kind, label }: StatusChipProps) {
  const { t } = useTranslation("common");
  const { icon: Icon, tone } = LOOKS[kind];
  return (
    <span className={cx(css.chip, css[`tone${tone}`])} data-status={kind}>
      <Icon size={13} className={kind === "running" ? css.spin : undefined} aria-hidden />
      <span>{label ?? t(`status.${kind}`)}</span>
    </span>
  );
}
