/** What is on record of a run, why it waits, and the plug-pull drill; as the server's schema says. */
import type * as generated from "./schema.gen";

export type TrailEntry = generated.TrailEntryView;
export type Happening = generated.HappeningView;
export type RunBecause = generated.BecauseView;
export type Drill = generated.DrillView;
export type LatestDrill = generated.LatestDrill;
