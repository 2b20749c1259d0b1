import { Menu } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { CalendarClock, CircleSlash, MoveRight, PauseCircle, RotateCcw } from "lucide-react";
import type { DragEvent } from "react";
import { useTranslation } from "react-i18next";

import { useCan } from "../../api/session";
import { cx, runStatusKind, type RunStatus, showToast, StatusIcon, useErrorText, useFormatter } from "../../ui";
import { type PastShape, type PlannedShape, putBack, type Schedule, skipStart, type Start, useDeed } from "./queries";
import css from "./schedules.module.css";

export interface ItemProps {
  start: Start;
  schedule: Schedule | undefined;
  onMove: (start: PlannedShape, day?: string) => void;
}

/** The start that is being dragged to another day. */
export const dragged: { start: PlannedShape | null } = { start: null };

/** One start in the calendar: what came leads to its run; what comes can be left out or moved. */
export function StartItem({ start, schedule, onMove }: ItemProps) {
  const name = schedule?.workflow_name ?? "";
  return start.past ? <Past past={start.past} name={name} /> : <Coming coming={start.coming} name={name} onMove={onMove} />;
}

function Past({ past, name }: { past: PastShape; name: string }) {
  const { t } = useTranslation("schedules");
  const { t: tCommon } = useTranslation("common");
  const format = useFormatter();
  const kind = past.status ? runStatusKind({ status: past.status as RunStatus, outcome: past.outcome }) : past.verdict === "queued" ? "queued" : "skipped";
  const word = past.status ? tCommon(`status.${kind}`) : t(`past.${past.verdict === "queued" ? "queued" : "leftOut"}`);
  const inside = (
    <>
      <StatusIcon kind={kind} size={14} decorative />
      <time dateTime={past.at}>{format.clock(past.at)}</time>
      <span className={css.itemName}>{name}</span>
      <span className={css.itemWord}>{word}</span>
      {past.reason && <span className={css.itemReason}>{past.reason}</span>}
    </>
  );
  const title = [name, word, past.reason].filter(Boolean).join(" · ");
  if (!past.run_id) {
    return (
      <div className={css.item} data-kind={kind} title={title}>
        {inside}
      </div>
    );
  }
  return (
    <Link to="/runs/$runId" params={{ runId: past.run_id }} className={css.item} data-kind={kind} title={title}>
      {inside}
    </Link>
  );
}

function Coming({ coming, name, onMove }: { coming: PlannedShape; name: string; onMove: ItemProps["onMove"] }) {
  const { t } = useTranslation("schedules");
  const format = useFormatter();
  const canBuild = useCan("builder");
  const errorText = useErrorText();
  const failed = (error: Error) => showToast({ tone: "err", title: t("deedFailed"), text: errorText(error).title });
  const back = useDeed(putBack);
  const skip = useDeed(skipStart);
  const given = { schedule: coming.schedule_id, instant: coming.instant };
  const fate = coming.fate === "start" ? (coming.moved ? "moved" : "planned") : coming.fate === "skip" ? "skipped" : "paused";
  const leaveOut = () =>
    skip.mutate(given, {
      onError: failed,
      onSuccess: () =>
        showToast({
          title: t("skipped", { name, time: format.weekdayClock(coming.at) }),
          action: { label: t("undo"), run: () => back.mutate(given, { onError: failed }) },
        }),
    });
  const changed = coming.moved || coming.fate === "skip";
  const Icon = coming.fate === "skip" ? CircleSlash : coming.fate === "paused" ? PauseCircle : coming.moved ? MoveRight : CalendarClock;
  const inside = (
    <>
      <Icon size={14} aria-hidden />
      <time dateTime={coming.at}>{format.clock(coming.at)}</time>
      <span className={css.itemName}>{name}</span>
      <span className={css.itemWord}>{coming.moved && coming.fate === "start" ? t("fate.movedFrom", { time: format.weekdayClock(coming.instant) }) : t(`fate.${fate}`)}</span>
    </>
  );
  if (!canBuild) {
    return (
      <div className={css.item} data-kind={fate}>
        {inside}
      </div>
    );
  }
  const drag = {
    draggable: true,
    onDragStart: (event: DragEvent) => {
      dragged.start = coming;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", coming.instant);
    },
    onDragEnd: () => {
      dragged.start = null;
    },
  };
  return (
    <Menu position="bottom-start" withinPortal radius={10} width={230} trapFocus>
      <Menu.Target>
        <button type="button" className={cx(css.item, css.itemButton)} data-kind={fate} {...drag}>
          {inside}
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {name} · {format.weekdayClock(coming.at)}
        </Menu.Label>
        {coming.fate !== "skip" && (
          <Menu.Item leftSection={<CircleSlash size={15} />} onClick={leaveOut}>
            {t("action.skipThis")}
          </Menu.Item>
        )}
        <Menu.Item leftSection={<MoveRight size={15} />} onClick={() => onMove(coming)}>
          {t("action.move")}
        </Menu.Item>
        {changed && (
          <Menu.Item leftSection={<RotateCcw size={15} />} onClick={() => back.mutate(given, { onError: failed })}>
            {t("action.putBack", { time: format.weekdayClock(coming.instant) })}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
