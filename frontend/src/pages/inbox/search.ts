/** What the address of the inbox says. */
export interface InboxSearch {
  task?: string;
  who?: "named" | "groups" | "anybody";
  state?: "closed";
  run?: string;
}
