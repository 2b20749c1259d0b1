/**
 * Writes that are held back for a moment, so that they can be taken back. What is held is sent when its time is over, and
 * at once when the page is left or hidden: it is never lost without a word.
 */
import { create } from "zustand";

export interface Held {
  /** What it is about: a second write about the same takes the place of the first. */
  key: string;
  /** When it is sent. */
  until: number;
  send: () => Promise<void>;
}

/** What is held, by what it is about. */
export const useHeld = create<{ held: Readonly<Record<string, Held>> }>(() => ({ held: {} }));

const timers = new Map<string, ReturnType<typeof setTimeout>>();
let listens = false;

function listen(): void {
  if (listens) return;
  listens = true;
  const leave = () => void sendHeld();
  window.addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") leave();
  });
}

/** Takes it out of what is held; undefined if it was sent meanwhile. */
function release(key: string): Held | undefined {
  const { [key]: one, ...rest } = useHeld.getState().held;
  if (!one) return undefined;
  clearTimeout(timers.get(key));
  timers.delete(key);
  useHeld.setState({ held: rest });
  return one;
}

/** Sends it after `ms`, unless it is taken back before. */
export function hold(key: string, send: () => Promise<void>, ms: number): void {
  listen();
  release(key);
  useHeld.setState(({ held }) => ({ held: { ...held, [key]: { key, until: Date.now() + ms, send } } }));
  timers.set(
    key,
    setTimeout(() => void release(key)?.send(), ms),
  );
}

/** Whether it could still be taken back. */
export function takeBack(key: string): boolean {
  return release(key) !== undefined;
}

/** Sends at once all that is held. */
export async function sendHeld(): Promise<void> {
  const all = Object.keys(useHeld.getState().held).map(release);
  await Promise.all(all.map((one) => one?.send()));
}
