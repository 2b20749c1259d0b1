import { useLayoutEffect, useRef } from "react";

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

/**
 * Runs `action` on a key anywhere on the screen. `ctrl+k` also means Cmd+K on a Mac and fires while typing;
 * a single character never does, nor while a dialog is open. With `once` a key that is held down counts once.
 */
export function useShortcut(keys: string, action: () => void, once = false): void {
  const latest = useRef(action);
  // Before the picture: a key means what is seen, and whoever sees the screen can use its keys.
  useLayoutEffect(() => {
    latest.current = action;
  });
  useLayoutEffect(() => {
    const withCtrl = keys.startsWith("ctrl+");
    const key = withCtrl ? keys.slice(5) : keys;
    const listen = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== key || event.defaultPrevented) return;
      if (once && event.repeat) return;
      const ctrl = event.ctrlKey || event.metaKey;
      if (withCtrl !== ctrl || event.altKey) return;
      if (!withCtrl && (isTyping(event.target) || document.querySelector("[role=dialog]"))) return;
      event.preventDefault();
      latest.current();
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, [keys, once]);
}
