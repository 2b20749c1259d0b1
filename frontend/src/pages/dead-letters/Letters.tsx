import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { useDeadLettersOf } from "../../api/queries";
import type { DeadLetter, DeadLetterGroup } from "../../api/types";
import { failureTitle, retell } from "../../i18n/server";
import { Button, ErrorCard, SkeletonRows, Time, useFormatter } from "../../ui";
import { FieldValue } from "../runs/RunTable";
import { runTitle } from "../runs/words";
import css from "./deadLetters.module.css";
import { WithOne } from "./With";

interface LettersProps {
  group: DeadLetterGroup;
  /** Only those that were sent to somebody with this one. */
  sent: string | undefined;
  chosen: readonly DeadLetter[];
  /** Null for whoever may only look. */
  onChoose: ((letters: readonly DeadLetter[]) => void) | null;
}

const EVERY = 10_000;

/** The runs of a group, each with its own message. */
export function Letters({ group, sent, chosen, onChoose }: LettersProps) {
  const { t } = useTranslation(["deadLetters", "common"]);
  const format = useFormatter();
  const list = useDeadLettersOf(group.cause, EVERY, sent);
  const letters = list.data?.pages.flatMap((page) => page.items);
  const ids = new Set(chosen.map((one) => one.run.id));
  const refetch = list.refetch;
  // More or fewer than there were: these rows are old.
  useEffect(() => void refetch(), [group.count, group.last_at, refetch]);
  useEffect(() => {
    if (!letters || !onChoose) return;
    const here = new Set(letters.map((one) => one.run.id));
    const left = chosen.filter((one) => here.has(one.run.id));
    if (left.length < chosen.length) onChoose(left);
  }, [letters, chosen, onChoose]);

  if (list.isPending) return <SkeletonRows rows={3} height={22} label={t("loadingRuns")} />;
  if (!letters) {
    return (
      <div className={css.foot}>
        <ErrorCard title={t("runsFailed")} error={list.error} onRetry={() => void list.refetch()} />
      </div>
    );
  }
  /** In the order in which they are shown: the newest first. */
  const choose = (wanted: (one: DeadLetter) => boolean) => onChoose?.(letters.filter(wanted));
  const all = letters.length > 0 && letters.every((one) => ids.has(one.run.id));
  return (
    <>
      {onChoose && letters.length > 1 && (
        <div className={css.chooseAll}>
          <label>
            <input
              type="checkbox"
              checked={all}
              ref={(box) => {
                if (box) box.indeterminate = !all && ids.size > 0;
              }}
              onChange={() => choose(() => !all)}
            />
            {list.hasNextPage
              ? t("chooseShown", { count: letters.length, number: format.number(letters.length) })
              : t("chooseAll", { count: letters.length, number: format.number(letters.length) })}
          </label>
          <span role="status">{ids.size > 0 && t("chosen", { count: ids.size, number: format.number(ids.size) })}</span>
        </div>
      )}
      <ul
        className={css.letters}
        aria-label={t(group.are_items ? "itemsOf" : "runsOf", { title: retell("failures", group.code, group.title) })}
      >
        {letters.map((letter) => {
          const { run, message, at } = letter;
          const on = ids.has(run.id);
          return (
            <li key={run.id} className={css.letter} data-on={on} data-testid={`letter-${run.id}`}>
              {onChoose && (
                <label className={css.tick}>
                  <input
                    type="checkbox"
                    aria-label={t("choose", { name: runTitle(run) })}
                    checked={on}
                    onChange={() => choose((one) => (one === letter ? !on : ids.has(one.run.id)))}
                  />
                </label>
              )}
              <span className={css.key}>
                <Link to="/runs/$runId" params={{ runId: run.id }}>
                  {runTitle(run)}
                </Link>
                {run.business_key && <small className="mono">{run.short_id}</small>}
                {letter.sent && <WithOne one={letter.sent} />}
                {run.fields.length > 0 && (
                  <span className={css.fields}>
                    {run.fields.map((field) => (
                      <span key={field.name} title={field.label}>
                        <FieldValue field={field} />
                      </span>
                    ))}
                  </span>
                )}
              </span>
              <span className={css.message} title={retell("failures", group.code, message)}>
                {retell("failures", group.code, message) || (run.error && failureTitle(run.error))}
              </span>
              <span className={css.age}>
                <Time at={at} />
              </span>
            </li>
          );
        })}
      </ul>
      {list.hasNextPage && (
        <div className={css.foot}>
          <Button size="sm" busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            {t("more")}
          </Button>
        </div>
      )}
    </>
  );
}
