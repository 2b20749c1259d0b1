export { applyChange } from "./applyChange";
export * from "./live";
export * from "./runStore";
export type { LiveState, LiveStatus } from "./socket";
