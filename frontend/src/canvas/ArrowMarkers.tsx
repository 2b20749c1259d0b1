const COLOURS = ["edge", "ok", "err", "run", "accent", "undo"] as const;

/** Open arrow heads, 7 px, one for each colour a link can have. */
export function ArrowMarkers() {
  return (
    <svg width="0" height="0" style={{ position: "absolute" }} aria-hidden>
      <defs>
        {COLOURS.map((colour) => (
          <marker key={colour} id={`mr-arrow-${colour}`} viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
            <path d="M1.5,1.5 L8,5 L1.5,8.5" fill="none" stroke={`var(--${colour})`} strokeWidth="1.8" strokeLinecap="round" strokeLinejoin="round" />
          </marker>
        ))}
      </defs>
    </svg>
  );
}
