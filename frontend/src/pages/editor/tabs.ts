/** One tab of a person edits a workflow at a time: the one that was opened, or taken over, last. */

interface Message {
  key: string;
  tab: string;
  at: number;
}

export interface Channel {
  postMessage(message: Message): void;
  onmessage: ((event: MessageEvent<Message>) => unknown) | null;
  close(): void;
}

export class EditorTab {
  private readonly channel: Channel | null;
  private readonly tab = crypto.randomUUID();
  private at = 0;

  /** `onOlder` is called once another tab has taken the workflow over. */
  constructor(
    private readonly key: string,
    onOlder: () => void,
    channel: Channel | null = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("millrace.editor"),
  ) {
    this.channel = channel;
    if (this.channel) {
      this.channel.onmessage = ({ data }) => {
        if (data.key !== this.key || data.tab === this.tab) return;
        // Two that open at the same moment must not both step back.
        if (data.at > this.at || (data.at === this.at && data.tab > this.tab)) onOlder();
      };
    }
    this.takeOver();
  }

  /** From now on this is the tab that edits. */
  takeOver(): void {
    this.at = Date.now();
    this.channel?.postMessage({ key: this.key, tab: this.tab, at: this.at });
  }

  close(): void {
    this.channel?.close();
  }
}
