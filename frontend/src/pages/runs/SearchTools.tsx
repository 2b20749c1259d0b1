import { FlaskConical, X } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "../../api/client";
import { useWorkflows } from "../../api/queries";
import { useSearchFields } from "../../api/runSearch";
import { useWorkspace } from "../../api/session";
import { cx, FilterChip, IconButton, SearchBox, StatusIcon } from "../../ui";
import fields from "../../ui/fields.module.css";
import { useShortcut } from "../../ui/shortcuts";
import { briefly, instantOf, wallOf } from "../../ui/zone";
import { useNews, useStillHere } from "../../ui/typed";
import { AddFilter } from "./AddFilter";
import { dayOf, inDays, inTimes, type Own, ownOf } from "./period";
import { joined, optionOf, split, type Token, withCondition, without } from "./query";
import css from "./runs.module.css";
import type { RunListSearch, SearchChange } from "./search";
import { filterIsOn, STATUS_FILTERS, toggleFilter } from "./words";

const PRESETS = ["1h", "24h", "7d", "30d"] as const;

type Change = (part: SearchChange, replace?: boolean) => void;


/** Search, conditions as chips, and the filters that most people need. */
export function SearchTools({ search, workflow, change, error }: { search: RunListSearch; workflow: string | undefined; change: Change; error: unknown }) {
  const { t } = useTranslation(["runs", "common"]);
  const [typed, setTyped] = useState(() => split(search.q ?? "").words);
  // The conditions that are meant for good. Those that are still being typed are searched by, too, and stay in the box.
  const [chips, setChips] = useState<readonly Token[]>(() => split(search.q ?? "").chips);
  const zone = useWorkspace().time_zone;
  // What the address says wins: whoever comes by a link chose nothing here.
  const [chosen, setChosen] = useState<Own | "">("");
  const own = ownOf(search) || chosen;
  const box = useRef<HTMLInputElement>(null);
  const said = useRef(search.q ?? "");
  const isHere = useStillHere();
  const help = useId();
  const known = useSearchFields().data ?? [];
  const workflows = useWorkflows({}, 100).data?.pages[0]?.items ?? [];
  useShortcut("/", () => box.current?.focus());

  // What comes from elsewhere (a saved view, the way back) stands in the box, too; what was typed here is left alone.
  const noteSaid = useNews(search.q ?? "", (now) => {
    said.current = now;
    setTyped(split(now).words);
    setChips(split(now).chips);
  });
  const say = (q: string, replace = false): void => {
    said.current = q;
    noteSaid(q);
    change({ q: q || undefined }, replace);
  };
  useEffect(() => {
    const next = joined(chips, typed);
    if (next === said.current) return;
    const timer = setTimeout(() => {
      if (isHere()) say(next, true);
    }, 250);
    return () => clearTimeout(timer);
  });
  /** Conditions that were typed become chips as soon as they are meant. */
  const settle = (q: string): void => {
    setTyped(split(q).words);
    setChips(split(q).chips);
    say(q);
  };
  const takeAway = (chip: Token): void => {
    const left = split(without(joined(chips, ""), chip)).chips;
    setChips(left);
    say(joined(left, typed));
  };
  const refused = error instanceof ApiError && error.status === 422 ? (error.fields["q"]?.[0] ?? error.detail) : null;
  const labelOf = (name: string): string => known.find((field) => field.name === name)?.label ?? t(`add.words.${name}`, { defaultValue: name });
  const period = own || (search.since ?? "");

  return (
    <div className={css.toolbox}>
      <div className={css.tools}>
        <div className={css.searchLine} data-refused={refused !== null || undefined}>
          <SearchBox ref={box} className={css.search} value={typed} onChange={setTyped} onEnter={() => settle(joined(chips, typed))} label={t("searchRuns")} placeholder={t("searchExample")} />
        </div>
        <AddFilter
          onAdd={(made) => settle(withCondition(joined(chips, typed), made))}
        />
        {workflow === undefined && (
          <select className={cx(fields.input, css.pick)} aria-label={t("filter.workflow")} value={search.workflow ?? ""} onChange={(event) => change({ workflow: event.currentTarget.value || undefined })}>
            <option value="">{t("filter.allWorkflows")}</option>
            {workflows.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </select>
        )}
        <select
          className={cx(fields.input, css.pick, css.period)}
          aria-label={t("filter.period")}
          value={period}
          onChange={(event) => {
            const value = event.currentTarget.value;
            if (value === "custom" || value === "times") {
              setChosen(value);
              change(value === "times" ? inTimes(search, zone, Date.now()) : inDays(search, zone));
            } else {
              setChosen("");
              change({ since: value || undefined, until: undefined });
            }
          }}
        >
          <option value="">{t("period.all")}</option>
          {PRESETS.map((one) => (
            <option key={one} value={one}>
              {t(`period.${one}`)}
            </option>
          ))}
          {search.since !== undefined && !own && !(PRESETS as readonly string[]).includes(search.since) && <option value={search.since}>{t(`period.${search.since}`, { defaultValue: search.since })}</option>}
          <option value="custom">{t("period.custom")}</option>
          <option value="times">{t("period.times")}</option>
        </select>
        {own === "times" && (
          <span className={cx(css.days, css.times)}>
            {(["since", "until"] as const).map((side) => (
              <input
                key={side}
                type="datetime-local"
                className={fields.input}
                aria-label={t(side === "since" ? "period.fromTime" : "period.untilTime", { zone: zone.replaceAll("_", " ") })}
                title={zone.replaceAll("_", " ")}
                value={wallOf(search[side], zone)}
                onChange={(event) => {
                  const at = instantOf(event.currentTarget.value, zone);
                  change({ [side]: at && briefly(at) });
                }}
              />
            ))}
          </span>
        )}
        {own === "custom" && (
          <span className={css.days}>
            <input type="date" className={fields.input} aria-label={t("period.from")} value={dayOf(search.since)} onChange={(event) => change({ since: event.currentTarget.value || undefined })} />
            <input type="date" className={fields.input} aria-label={t("period.until")} value={dayOf(search.until)} onChange={(event) => change({ until: event.currentTarget.value || undefined })} />
          </span>
        )}
      </div>
      {refused !== null && (
        <p className={css.refused} role="alert" id={help}>
          {refused}
        </p>
      )}
      <div className={cx(css.tools, css.statuses)}>
        <FilterChip on={!search.status} onClick={() => change({ status: undefined })}>
          {t("filter.all")}
        </FilterChip>
        {STATUS_FILTERS.map((filter) => (
          <FilterChip
            key={filter.key}
            on={filterIsOn(filter, search.status)}
            onClick={() => change({ status: toggleFilter(filter, search.status) })}
            icon={<StatusIcon kind={filter.kind} size={13} decorative />}
          >
            {t(`filter.${filter.key}`)}
          </FilterChip>
        ))}
        <FilterChip on={search.mode === "test"} onClick={() => change({ mode: search.mode === "test" ? undefined : "test" })} icon={<FlaskConical size={13} aria-hidden />}>
          {t("filter.tests")}
        </FilterChip>
        {chips.length > 0 && (
          <ul className={css.chips} aria-label={t("conditions")}>
            {chips.map((chip) => (
              <li key={chip.text} className={css.condition}>
                <span>
                  {labelOf(chip.name)} <b>{chip.op === ":" ? "" : chip.op}</b> {optionOf(chip) ? t(`add.choice.${optionOf(chip)}`) : chip.value}
                </span>
                <IconButton size="sm" label={t("removeCondition", { text: chip.text })} icon={<X size={12} />} onClick={() => takeAway(chip)} />
              </li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
}
