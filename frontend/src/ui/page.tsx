import { type ReactNode, useEffect, useRef } from "react";

import { cx } from "./cx";
import css from "./page.module.css";

export interface TopBarProps {
  /** Where we are: links that lead up, each followed by an arrow. */
  crumbs?: ReactNode;
  title: ReactNode;
  /** Chips after the title. */
  chips?: ReactNode;
  /** Tabs in the middle. */
  middle?: ReactNode;
  actions?: ReactNode;
  /** On a phone, too, the way up is shown: nothing else says where we are. */
  showWay?: boolean;
}

/** The 56 px bar on top of every screen. */
export function TopBar({ crumbs, title, chips, middle, actions, showWay }: TopBarProps) {
  const tabs = useRef<HTMLDivElement>(null);
  const chosen = useRef<Element | null>(null);
  useEffect(() => {
    // On a phone not all of them have room. Whoever moves the row away meanwhile is left alone.
    const now = tabs.current?.querySelector("[aria-current=page], [aria-selected=true], [aria-pressed=true]") ?? null;
    if (now === chosen.current) return;
    chosen.current = now;
    now?.scrollIntoView({ block: "nearest", inline: "center" });
  });
  return (
    <header className={css.topbar} data-way={showWay || undefined}>
      <div className={css.topbarStart}>
        {crumbs !== undefined && <nav className={css.crumbs}>{crumbs}</nav>}
        <h1>{title}</h1>
        {chips}
      </div>
      {middle !== undefined && (
        <div className={css.topbarMiddle} ref={tabs}>
          {middle}
        </div>
      )}
      {(actions || middle !== undefined) && <div className={css.topbarEnd}>{actions}</div>}
    </header>
  );
}

/** The scrolling part below the bar. */
export function PageBody(props: { narrow?: boolean; children: ReactNode; className?: string | undefined }) {
  return (
    <div className={css.page}>
      <div className={cx(css.pageInner, props.className)} data-width={props.narrow ? "narrow" : "wide"}>
        {props.children}
      </div>
    </div>
  );
}

/** Class names for a row of tabs and its members; the caller renders links or buttons. */
export const topBarExtraClass = css.topbarExtra;
export const segmentsClass = css.segments;
export const segmentClass = css.segment;
export const sectionTitleClass = css.sectionTitle;
export const leadClass = css.lead;
export const tableBoxClass = css.tableBox;
export const tableClass = css.table;
/** Beside `tableClass`: on a phone each row is a card. */
export const tableCardsClass = css.cards;
export const tableFootClass = css.tableFoot;
export const numClass = css.num;
