/** What the address of the inbox says. */
export interface InboxSearch {
  task?: string;
  who?: "named" | "groups" | "stand_in" | "anybody";
  /** later: what I have put off. */
  state?: "later" | "closed";
  run?: string;
}
