import { Menu } from "@mantine/core";
import { ChevronDown, ChevronRight, CircleCheck, EllipsisVertical, ListTree, RotateCcw, Trash2 } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { useCan } from "../../api/session";
import type { DeadLetter, DeadLetterGroup } from "../../api/types";
import { Button, Chip, IconButton, Time, useFormatter } from "../../ui";
import css from "./deadLetters.module.css";
import { Letters } from "./Letters";
import { countOf, type Target } from "./target";

const MINUTE = 60_000;

interface GroupCardProps {
  group: DeadLetterGroup;
  /** Nothing of it is left; only what was tried is told. */
  gone: boolean;
  /** One of its runs is being tried. */
  trying: boolean;
  onAsk: (what: "retry" | "solve" | "discard", target: Target) => void;
  onTry: (target: Target) => void;
  /** What came of the trial. */
  children: ReactNode;
}

/** Runs that failed alike: of what, where, how many, and what can be decided about them. */
export function GroupCard({ group, gone, trying, onAsk, onTry, children }: GroupCardProps) {
  const { t } = useTranslation("deadLetters");
  const format = useFormatter();
  const mayRetry = useCan("reviewer");
  const [opened, setOpened] = useState(false);
  const [chosen, setChosen] = useState<readonly DeadLetter[]>([]);
  const id = useId();
  const target: Target = { group, letters: chosen.length > 0 ? chosen : null };
  // The same failure of two steps would look alike by its first line.
  const title = group.code === "undo_incomplete" ? group.title : `${group.step.name}: ${group.title}`;
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
          {group.pattern && group.pattern !== group.title && (
            <p className={css.pattern} title={group.pattern}>
              {group.pattern}
            </p>
          )}
          <p className={css.where}>
            {group.workflow.name} <span aria-hidden>›</span> <span>{group.step.name}</span>
          </p>
        </div>
        {!gone && (
          <div className={css.facts}>
            <Chip tone="err">{t("runs", { count: group.count, number: format.number(group.count) })}</Chip>
            <span className={css.seen}>
              <span>
                {t("last")} <Time at={group.last_at} />
              </span>
              {Date.parse(group.last_at) - Date.parse(group.first_at) > MINUTE && (
                <span>
                  {t("first")} <Time at={group.first_at} />
                </span>
              )}
            </span>
          </div>
        )}
        {!gone && mayRetry && <Actions target={target} trying={trying} onAsk={onAsk} onTry={onTry} opened={opened} onShow={() => setOpened(!opened)} />}
      </div>
      {!gone && group.code === "undo_incomplete" && <p className={css.hint}>{t("undoIncomplete.why")}</p>}
      {children}
      <div id={id} hidden={!opened || gone}>
        {opened && !gone && <Letters group={group} chosen={chosen} onChoose={mayRetry ? setChosen : null} />}
      </div>
    </li>
  );
}

function Actions(props: Pick<GroupCardProps, "trying" | "onAsk" | "onTry"> & { target: Target; opened: boolean; onShow: () => void }) {
  const { t } = useTranslation(["deadLetters", "common"]);
  const format = useFormatter();
  const { target, onAsk, onTry } = props;
  const mayDiscard = useCan("admin");
  const count = countOf(target);
  const many = { count, number: format.number(count) };
  const some = target.letters !== null;
  // A retry goes forward: of a run that was to be undone nobody shall start that by one click.
  const forward = target.group.code !== "undo_incomplete";
  const of = t("of", { title: target.group.title });
  return (
    <div className={css.actions} role="group" aria-label={of}>
      {forward && (
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
      {forward && count > 1 && (
        <Button onClick={() => onAsk("retry", target)}>{some ? t("action.retrySome", many) : t("action.retry")}</Button>
      )}
      <Menu position="bottom-end" withinPortal shadow="md" radius={10} trapFocus withInitialFocusPlaceholder={false}>
        <Menu.Target>
          <IconButton label={t("common:action.more")} icon={<EllipsisVertical size={16} aria-hidden />} />
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{t("runs", many)}</Menu.Label>
          <Menu.Item leftSection={<CircleCheck size={15} aria-hidden />} onClick={() => onAsk("solve", target)}>
            {t("action.solve")}
          </Menu.Item>
          {mayDiscard && (
            <Menu.Item
              leftSection={<Trash2 size={15} aria-hidden />}
              color="var(--err)"
              onClick={() => onAsk("discard", target)}
            >
              {t("action.discard")}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
    </div>
  );
}
