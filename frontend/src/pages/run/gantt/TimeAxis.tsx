import { type KeyboardEvent, type Ref, useId } from "react";
import { useTranslation } from "react-i18next";

import { cx, useFormatter } from "../../../ui";
import css from "../dock.module.css";
import type { Scale } from "../timeline";
import { keyed, type Stretch } from "../zoom";

export const SHARES = [0, 0.25, 0.5, 0.75, 1];

/** "09:41:07 – 09:41:12", as fine as the stretch asks for. */
export function useStretchText(): (stretch: Stretch) => string {
  const { t } = useTranslation("lookback");
  const format = useFormatter();
  return ({ from, until }) => {
    const clock = until - from > 20_000 ? format.clockSeconds : format.clockMillis;
    return t("zoom.shown", { from: clock.call(format, from), until: clock.call(format, until) });
  };
}

interface AxisProps {
  axis: Ref<HTMLDivElement>;
  /** Of all of the run, and of what is shown of it. */
  whole: Scale;
  scale: Scale;
  stretch: Stretch | null;
  onZoom(next: Stretch | "all"): void;
}

/** Below the rows: which times they stand at. Its keys choose the stretch that is shown. */
export function TimeAxis({ axis, whole, scale, stretch, onZoom }: AxisProps) {
  const { t } = useTranslation("lookback");
  const format = useFormatter();
  const between = useStretchText();
  const help = useId();
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const next = keyed(event.key, whole, stretch);
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    if (next !== "all" || stretch) onZoom(next);
  };
  const long = scale.until - scale.from > 5 * 60_000;
  const tick = (share: number) => {
    const moment = scale.moment(share);
    if (long) return format.clock(moment);
    if (scale.until - scale.from > 4000) return format.clockSeconds(moment);
    return stretch ? format.clockMillis(moment) : `+${format.duration(moment - scale.from)}`;
  };
  return (
    <div
      ref={axis}
      className={cx(css.axis, "tn")}
      role="slider"
      aria-label={t("zoom.axis")}
      aria-describedby={help}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={stretch ? Math.round(((whole.at(stretch.from) + whole.at(stretch.until)) / 2) * 100) : 50}
      aria-valuetext={stretch ? between(stretch) : t("zoom.whole")}
      tabIndex={0}
      title={t("zoom.help")}
      data-testid="axis"
      onKeyDown={onKeyDown}
    >
      <span id={help} hidden>
        {t("zoom.help")}
      </span>
      <div aria-hidden>
        {SHARES.map((share) => (
          <span key={share}>{tick(share)}</span>
        ))}
      </div>
    </div>
  );
}
