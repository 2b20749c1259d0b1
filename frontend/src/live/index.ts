export { applyChange } from "./applyChange";
export { joined } from "./joined";
export * from "./live";
export * from "./runStore";
export type { LiveState, LiveStatus } from "./socket";
