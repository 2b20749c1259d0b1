/** What the address of the inbox says. */
export interface InboxSearch {
  task?: string;
  who?: "anybody";
  state?: "closed";
  run?: string;
}
