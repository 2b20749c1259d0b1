import { Menu } from "@mantine/core";
import { BellOff, ChevronDown, ChevronRight, CircleCheck, EllipsisVertical, History, ListTree, PlugZap, RotateCcw, Send, StickyNote, Table2, Trash2 } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { useCan } from "../../api/session";
import type { DeadLetter, DeadLetterGroup } from "../../api/types";
import { retell } from "../../i18n/server";
import { Button, Chip, ErrorCard, IconButton, Note, Time, useFormatter } from "../../ui";
import { amountText } from "../inbox/task";
import css from "./deadLetters.module.css";
import { ExportItems } from "./ExportItems";
import { Letters } from "./Letters";
import { Said, Suggestion } from "./Said";
import { countOf, type Target } from "./target";
import { useMuting } from "./useSaying";
import { With } from "./With";

interface GroupCardProps {
  group: DeadLetterGroup;
  /** Only those of it that were sent to somebody with this one are meant. */
  sent: string | undefined;
  /** Nothing of it is left; only what was tried is told. */
  gone: boolean;
  /** One of its runs is being tried. */
  trying: boolean;
  onAsk: (what: "retry" | "edit" | "send" | "solve" | "discard" | "note" | "history", target: Target) => void;
  onTry: (target: Target) => void;
  /** What came of the trial. */
  children: ReactNode;
}

/** Runs that failed alike: of what, where, how many, and what can be decided about them. */
export function GroupCard({ group, sent, gone, trying, onAsk, onTry, children }: GroupCardProps) {
  const { t } = useTranslation("deadLetters");
  const format = useFormatter();
  const mayRetry = useCan("reviewer");
  const [opened, setOpened] = useState(false);
  const [chosen, setChosen] = useState<readonly DeadLetter[]>([]);
  const id = useId();
  const target: Target = { group, letters: chosen.length > 0 ? chosen : null, sent };
  const failed = retell("failures", group.code, group.title);
  const pattern = retell("failures", group.code, group.pattern);
  // The same failure of two steps would look alike by its first line.
  const title = group.code === "undo_incomplete" ? failed : `${group.step.name}: ${failed}`;
  const Arrow = opened ? ChevronDown : ChevronRight;
  return (
    <li className={css.group} data-testid={`group-${group.cause}`}>
      <div className={css.row}>
        <div className={css.what}>
          <h2>
            {gone ? (
              <span className={css.fold}>
                <CircleCheck size={17} aria-hidden />
                <span>{title}</span>
              </span>
            ) : (
              <button
                type="button"
                className={css.fold}
                aria-expanded={opened}
                aria-controls={id}
                onClick={() => setOpened(!opened)}
              >
                <Arrow size={17} aria-hidden />
                <span>{title}</span>
              </button>
            )}
          </h2>
          {pattern && pattern !== failed && (
            <p className={css.pattern} title={pattern}>
              {pattern}
            </p>
          )}
          <p className={css.where}>
            {group.workflow.name} <span aria-hidden>›</span> <span>{group.step.name}</span>
          </p>
          {!gone && !group.repaired && group.code !== "undo_incomplete" && (
            <Suggestion group={group} sent={sent} onAsk={onAsk} onTry={onTry} onShow={() => setOpened(true)} opened={opened} />
          )}
        </div>
        {!gone && (
          <div className={css.facts}>
            <Chip tone="err">{t(group.are_items ? "items" : "runs", { count: group.count, number: format.number(group.count) })}</Chip>
            {group.affects.length > 0 && (
              <b className={css.affects}>{t("affects", { amount: group.affects.map((one) => amountText(one.amount, one.currency, format)).join(", ") })}</b>
            )}
            <span className={css.seen}>
              <span>
                {t("last")} <Time at={group.last_at} />
              </span>
              {group.count > 1 && (
                <span>
                  {t("first")} <Time at={group.first_at} />
                </span>
              )}
            </span>
            {group.days.some((one) => one > 0) && <Week days={group.days} />}
          </div>
        )}
        {!gone && <Actions target={target} trying={trying} onAsk={onAsk} onTry={onTry} opened={opened} onShow={() => setOpened(!opened)} />}
      </div>
      {!gone && group.sent.length > 0 && <With group={group} sent={sent} />}
      {!gone && <Said group={group} onNote={mayRetry ? () => onAsk("note", { group, letters: null }) : null} />}
      {!gone && group.repaired && <Repaired group={group} sent={sent} repaired={group.repaired} onAsk={mayRetry ? onAsk : undefined} />}
      {!gone && group.code === "undo_incomplete" && <p className={css.hint}>{t("undoIncomplete.why")}</p>}
      {children}
      <div id={id} hidden={!opened || gone}>
        {opened && !gone && <Letters group={group} sent={sent} chosen={chosen} onChoose={mayRetry ? setChosen : null} />}
      </div>
    </li>
  );
}

/** How many came on each of the last seven days. */
function Week({ days }: { days: readonly number[] }) {
  const { t } = useTranslation("deadLetters");
  const format = useFormatter();
  const most = Math.max(1, ...days);
  const words = t("week", { days: days.map((one) => format.number(one)).join(", ") });
  return (
    <svg className={css.week} viewBox="0 0 70 26" role="img" aria-label={words}>
      <title>{words}</title>
      {days.map((one, place) => {
        const height = one === 0 ? 1 : Math.max(3, (one / most) * 24);
        // oxlint-disable-next-line react/no-array-index-key -- a day is known by its place
        return <rect key={place} x={place * 10 + 1} y={25 - height} width="8" height={height} rx="1.5" data-none={one === 0 || undefined} />;
      })}
    </svg>
  );
}

/** What these failed of is over: those that failed before can be gone on with. */
function Repaired(props: { group: DeadLetterGroup; sent: string | undefined; repaired: NonNullable<DeadLetterGroup["repaired"]>; onAsk: GroupCardProps["onAsk"] | undefined }) {
  const { t } = useTranslation("deadLetters");
  const format = useFormatter();
  const { group, sent, repaired, onAsk } = props;
  const many = { count: repaired.count, number: format.number(repaired.count), name: repaired.name, time: format.soon(repaired.at, Date.now()) };
  return (
    <div className={css.repaired}>
      <Note tone="ok" icon={<PlugZap size={16} aria-hidden />}>
        <span>{t("repaired.text", many)}</span>{" "}
        {onAsk && (
          <Button size="sm" onClick={() => onAsk("retry", { group: { ...group, count: repaired.count, last_at: repaired.at }, letters: null, sent })}>
            {t("repaired.retry", many)}
          </Button>
        )}
      </Note>
    </div>
  );
}

function Actions(props: Pick<GroupCardProps, "trying" | "onAsk" | "onTry"> & { target: Target; opened: boolean; onShow: () => void }) {
  const { t } = useTranslation(["deadLetters", "common"]);
  const format = useFormatter();
  const { target, onAsk, onTry } = props;
  const mayRetry = useCan("reviewer");
  const mayDiscard = useCan("admin");
  const mayEdit = useCan("builder");
  const muting = useMuting(target.group);
  const count = countOf(target);
  const many = { count, number: format.number(count) };
  const some = target.letters !== null;
  // A retry goes forward: of a run that was to be undone nobody shall start that by one click.
  const forward = target.group.code !== "undo_incomplete";
  const of = t("of", { title: retell("failures", target.group.code, target.group.title) });
  return (
    <div className={css.actions} role="group" aria-label={of}>
      {mayRetry && forward && (
        <Button
          variant="soft"
          icon={<RotateCcw size={15} aria-hidden />}
          aria-disabled={props.trying || undefined}
          onClick={() => !props.trying && onTry(target)}
        >
          {count === 1 ? t("action.retryOne") : t("action.tryOne")}
        </Button>
      )}
      {!forward && (
        <Button variant="soft" icon={<ListTree size={15} aria-hidden />} aria-expanded={props.opened} onClick={props.onShow}>
          {t("undoIncomplete.show")}
        </Button>
      )}
      {mayRetry && forward && count > 1 && (
        <Button onClick={() => onAsk("retry", target)}>{some ? t("action.retrySome", many) : t("action.retry")}</Button>
      )}
      <Menu position="bottom-end" withinPortal shadow="md" radius={10} trapFocus withInitialFocusPlaceholder={false}>
        <Menu.Target>
          <IconButton label={t("common:action.more")} icon={<EllipsisVertical size={16} aria-hidden />} />
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{t(target.group.are_items ? "items" : "runs", many)}</Menu.Label>
          {mayRetry && forward && mayEdit && (
            <Menu.Item leftSection={<Table2 size={15} aria-hidden />} onClick={() => onAsk("edit", target)}>
              {t("action.edit")}
            </Menu.Item>
          )}
          {mayRetry && (
            <Menu.Item leftSection={<Send size={15} aria-hidden />} onClick={() => onAsk("send", target)}>
              {t("action.send")}
            </Menu.Item>
          )}
          {mayRetry && (
            <Menu.Item leftSection={<CircleCheck size={15} aria-hidden />} onClick={() => onAsk("solve", target)}>
              {t("action.solve")}
            </Menu.Item>
          )}
          {mayDiscard && (
            <Menu.Item
              leftSection={<Trash2 size={15} aria-hidden />}
              color="var(--err)"
              onClick={() => onAsk("discard", target)}
            >
              {t("action.discard")}
            </Menu.Item>
          )}
          <ExportItems
            meant={some ? { runs: target.letters?.map((one) => one.run.id) ?? [] } : { cause: target.group.cause, sent: target.sent }}
            label={t(some ? "export.chosen" : "export.group")}
          />
          <Menu.Label>{t("group")}</Menu.Label>
          <Menu.Item leftSection={<History size={15} aria-hidden />} onClick={() => onAsk("history", target)}>
            {t("action.history")}
          </Menu.Item>
          {mayRetry && (
            <>
              <Menu.Item leftSection={<StickyNote size={15} aria-hidden />} onClick={() => onAsk("note", target)}>
                {t("action.note")}
              </Menu.Item>
              {([1, 7, null] as const).map((days) => (
                <Menu.Item key={days ?? "ever"} leftSection={<BellOff size={15} aria-hidden />} onClick={() => muting.mutate(days)}>
                  {days === null ? t("mute.ever") : t("mute.days", { count: days })}
                </Menu.Item>
              ))}
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      {muting.isError && <ErrorCard title={t("mute.failed")} error={muting.error} />}
    </div>
  );
}
