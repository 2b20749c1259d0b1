/** What is typed and what stands in the address: the one follows the other, and neither is in the way of whoever goes on. */
import { useRouter } from "@tanstack/react-router";
import { useCallback, useLayoutEffect, useRef } from "react";

/**
 * Tells whether this page is still where people want to be: not any more as soon as they have clicked on what leads to
 * another one, though that may take its time to load. An address that follows late would call them back.
 */
export function useStillHere(): () => boolean {
  const router = useRouter();
  const here = useRef(router.latestLocation.pathname);
  return useCallback(() => router.latestLocation.pathname === here.current, [router]);
}

/**
 * For a box that also shows what comes into the address (`now`) from elsewhere. Call what this returns with all that the
 * box puts there itself; `onNews` hears of the rest. What was said comes back late where the machine is slow, when more
 * has been typed already: that is no news, and must not take its place.
 */
export function useNews(now: string, onNews: (now: string) => void): (said: string) => void {
  const seen = useRef(now);
  const said = useRef<readonly string[]>([]);
  const latest = useRef(onNews);
  useLayoutEffect(() => {
    latest.current = onNews;
  });
  // Before anything else is done about the new address: what stands in the box by then is of the one before, and whoever
  // lets the address follow the box would call it back.
  useLayoutEffect(() => {
    if (now === seen.current) return;
    seen.current = now;
    const at = said.current.indexOf(now);
    // What was said before this one was overtaken by it, and never comes.
    said.current = at < 0 ? [] : said.current.slice(at + 1);
    if (at < 0) latest.current(now);
  }, [now]);
  return useCallback((one: string) => {
    said.current = [...said.current, one];
  }, []);
}
