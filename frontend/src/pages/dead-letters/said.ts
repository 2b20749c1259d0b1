import type { GroupNote, GroupSaid } from "../../api/letterGroups";
import type { DeadLetters } from "../../api/types";

/** The list with something else said about a group; as it was where the group is not in it. */
export function withSaid(list: DeadLetters | undefined, cause: string, said: GroupSaid): DeadLetters | undefined {
  if (!list?.items.some((one) => one.cause === cause)) return list;
  return { ...list, items: list.items.map((one) => (one.cause === cause ? { ...one, said } : one)) };
}

/** How it will stand once the server has it. */
export function expected(said: GroupSaid, { note, ticket }: GroupNote, by: string, at: string): GroupSaid {
  return { ...said, note: note.trim(), ticket: ticket.trim(), noted_at: at, noted_by: by, revision: said.revision + 1 };
}

/** Whether a browser may be sent there, as the server sees it. */
export function isTicket(text: string): boolean {
  if (text.length > 500 || /[\s\\]/.test(text) || !URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === "https:" && text.startsWith("https://") && hostname !== "" && !/^https:\/\/[^/?#]*@/.test(text);
}

/** How a ticket is called: by the end of its address, or by its host. */
export function ticketName(address: string): string {
  const { hostname, pathname } = new URL(address);
  const last = pathname.split("/").findLast((one) => one !== "");
  return last ? `${hostname} · ${last}` : hostname;
}
