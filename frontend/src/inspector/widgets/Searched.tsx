import { type ReactNode, useEffect, useRef, useState } from "react";

import { SearchBox } from "../../ui";
import own from "./workflow.module.css";

/** What is typed into a search, and what is searched for: a moment later, so that not each letter asks the server. */
export function useSearch(): { typed: string; setTyped(typed: string): void; q: string } {
  const [typed, setTyped] = useState("");
  const [q, setQ] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setQ(typed.trim()), 200);
    return () => clearTimeout(timer);
  }, [typed]);
  return { typed, setTyped, q };
}

interface SearchedProps {
  id: string;
  label: string;
  placeholder: string;
  typed: string;
  onType(typed: string): void;
  /** Enter takes the first one found. */
  onEnter(): void;
  onClose(): void;
  children: ReactNode;
}

/** Below a field: a search that has the focus at once, and what it finds. */
export function Searched({ id, label, placeholder, typed, onType, onEnter, onClose, children }: SearchedProps) {
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => search.current?.focus(), []);
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- Esc, from whatever has the focus inside, closes it
    <div
      id={id}
      role="group"
      aria-label={label}
      className={own.choices}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.defaultPrevented) return;
        event.preventDefault();
        event.stopPropagation();
        onClose();
      }}
    >
      <SearchBox ref={search} value={typed} onChange={onType} label={placeholder} onEnter={onEnter} />
      {children}
    </div>
  );
}
