/**
 * One WebSocket per workspace. Keeps trying with growing pauses, subscribes again after each reconnect from where it stopped,
 * and hands messages on at most once per 100 ms, inside an animation frame.
 */
import { createStore, type StoreApi } from "zustand/vanilla";

import type { ClientMessage, Run, RunChange, ServerMessage } from "../api/types";

export type LiveStatus = "connecting" | "open" | "paused" | "refused";

export interface LiveState {
  status: LiveStatus;
  /** When the socket was last known to be in step with the server (ms), for "Showing the state of …". */
  inStepAt: number;
}

export interface RunSubscriber {
  /** The seq up to which the subscriber already knows the run. */
  after: () => number;
  onChanges: (changes: RunChange[]) => void;
  onGone: () => void;
}

export type RunsSubscriber = (runs: Run[]) => void;

export interface LiveClock {
  setTimeout: (run: () => void, ms: number) => number;
  clearTimeout: (timer: number) => void;
  now: () => number;
  random: () => number;
  frame: (run: () => void) => void;
}

const browserClock: LiveClock = {
  setTimeout: (run, ms) => window.setTimeout(run, ms),
  clearTimeout: (timer) => window.clearTimeout(timer),
  now: () => Date.now(),
  random: () => Math.random(),
  // A hidden page gets no frames, yet must not fall behind without bound.
  frame: (run) => (document.hidden ? window.setTimeout(run, 0) : requestAnimationFrame(run)),
};

export interface LiveSocketOptions {
  url: () => string;
  onSessionEnded?: () => void;
  connect?: (url: string) => WebSocket;
  clock?: LiveClock;
}

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
const FLUSH_EVERY = 100;
const PING_EVERY = 20_000;
const SILENCE = 45_000;
/** As WebSocket.CONNECTING says it. */
const CONNECTING = 0;

export class LiveSocket {
  readonly state: StoreApi<LiveState>;
  private readonly options: LiveSocketOptions;
  private readonly clock: LiveClock;
  private readonly runs = new Map<string, Set<RunSubscriber>>();
  private readonly lists = new Map<RunsSubscriber, string | null>();
  private readonly absences = new Set<() => void>();
  private readonly figures = new Set<() => void>();
  private socket: WebSocket | null = null;
  private stopped = true;
  private failures = 0;
  private retryTimer: number | null = null;
  private pingTimer: number | null = null;
  private heardAt = 0;
  private readonly pendingChanges = new Map<string, RunChange[]>();
  private readonly pendingRuns = new Map<string, Run>();
  private flushAsked = false;
  private flushedAt = 0;

  constructor(options: LiveSocketOptions) {
    this.options = options;
    this.clock = options.clock ?? browserClock;
    this.state = createStore<LiveState>(() => ({ status: "connecting", inStepAt: this.clock.now() }));
  }

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.failures = 0;
    this.open();
  }

  stop(): void {
    this.stopped = true;
    if (this.retryTimer !== null) this.clock.clearTimeout(this.retryTimer);
    if (this.pingTimer !== null) this.clock.clearTimeout(this.pingTimer);
    this.retryTimer = null;
    this.pingTimer = null;
    const socket = this.socket;
    this.socket = null;
    // One that is still being opened is closed when it is: to close it before is an error in the console.
    if (socket && socket.readyState !== CONNECTING) socket.close(1000);
  }

  /** Tries at once: the network is back, or somebody signed in. */
  retryNow(): void {
    if (this.stopped || this.socket) return;
    if (this.retryTimer !== null) this.clock.clearTimeout(this.retryTimer);
    this.retryTimer = null;
    this.failures = 0;
    this.open();
  }

  subscribeRun(run: string, subscriber: RunSubscriber): () => void {
    const subscribers = this.runs.get(run) ?? new Set();
    subscribers.add(subscriber);
    this.runs.set(run, subscribers);
    this.askForRun(run);
    return () => {
      subscribers.delete(subscriber);
      if (subscribers.size === 0 && this.runs.get(run) === subscribers) {
        this.runs.delete(run);
        this.send({ type: "unsubscribe", run });
      }
    };
  }

  /** Asks for the run's changes once more from where its subscribers stand, after a gap. */
  resubscribeRun(run: string): void {
    this.askForRun(run);
  }

  subscribeRuns(workflow: string | null, subscriber: RunsSubscriber): () => void {
    this.lists.set(subscriber, workflow);
    this.askForRuns();
    return () => {
      this.lists.delete(subscriber);
      if (this.lists.size === 0) this.send({ type: "unsubscribe", topic: "runs" });
      else this.askForRuns();
    };
  }

  /** Calls back whenever somebody is away, or here again, and whenever the line is open: that may have happened before. */
  subscribeAbsences(subscriber: () => void): () => void {
    this.absences.add(subscriber);
    return () => void this.absences.delete(subscriber);
  }

  /** Calls back whenever the figures of the monitor have changed, and whenever the line is open again. */
  subscribeFigures(subscriber: () => void): () => void {
    this.figures.add(subscriber);
    if (this.figures.size === 1) this.send({ type: "subscribe", topic: "figures" });
    return () => {
      if (this.figures.delete(subscriber) && this.figures.size === 0) this.send({ type: "unsubscribe", topic: "figures" });
    };
  }

  private open(): void {
    if (!this.options.connect && !navigator.onLine) {
      // Every try would be an error in the console. `retryNow` follows when the network is back.
      this.closed(1006);
      return;
    }
    const connect = this.options.connect ?? ((url: string) => new WebSocket(url));
    const socket = connect(this.options.url());
    this.socket = socket;
    socket.onopen = () => {
      if (this.socket !== socket) {
        socket.close(1000);
        return;
      }
      this.failures = 0;
      this.heard();
      this.state.setState({ status: "open", inStepAt: this.clock.now() });
      for (const run of this.runs.keys()) this.askForRun(run);
      if (this.lists.size > 0) this.askForRuns();
      // What changed before this line was open is never told: the page is older than it, and a computer sleeps.
      for (const subscriber of this.absences) subscriber();
      if (this.figures.size > 0) this.send({ type: "subscribe", topic: "figures" });
      for (const subscriber of this.figures) subscriber();
      this.schedulePing();
    };
    socket.onmessage = (event: MessageEvent<string>) => {
      if (this.socket !== socket) return;
      this.heard();
      this.receive(JSON.parse(event.data) as ServerMessage);
    };
    socket.onclose = (event: CloseEvent) => {
      if (this.socket !== socket) return;
      this.socket = null;
      if (this.pingTimer !== null) this.clock.clearTimeout(this.pingTimer);
      this.pingTimer = null;
      this.closed(event.code);
    };
  }

  private closed(code: number): void {
    if (this.stopped) return;
    if (code === 4403 || code === 4404) {
      this.state.setState({ status: "refused" });
      return;
    }
    this.state.setState({ status: "paused" });
    if (code === 4401) {
      // Nothing to retry until somebody signs in; `retryNow` goes on then.
      this.options.onSessionEnded?.();
      return;
    }
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.failures) * (0.75 + this.clock.random() / 2);
    this.failures += 1;
    this.retryTimer = this.clock.setTimeout(() => {
      this.retryTimer = null;
      if (!this.stopped) this.open();
    }, pause);
  }

  private heard(): void {
    this.heardAt = this.clock.now();
  }

  private schedulePing(): void {
    if (this.pingTimer !== null) this.clock.clearTimeout(this.pingTimer);
    this.pingTimer = this.clock.setTimeout(() => {
      this.pingTimer = null;
      const socket = this.socket;
      if (!socket) return;
      if (this.clock.now() - this.heardAt > SILENCE) {
        // The line is dead although nobody hung up: do as if it had been closed.
        this.socket = null;
        socket.close();
        this.closed(1006);
        return;
      }
      this.send({ type: "ping" });
      this.schedulePing();
    }, PING_EVERY);
  }

  private send(message: ClientMessage): void {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify(message));
  }

  private askForRun(run: string): void {
    const subscribers = this.runs.get(run);
    if (!subscribers || subscribers.size === 0) return;
    const after = Math.min(...[...subscribers].map((subscriber) => subscriber.after()));
    this.send({ type: "subscribe", run, after });
  }

  private askForRuns(): void {
    const workflows = new Set(this.lists.values());
    const only = workflows.size === 1 ? ([...workflows][0] ?? null) : null;
    this.send({ type: "subscribe", topic: "runs", workflow: only });
  }

  private receive(message: ServerMessage): void {
    switch (message.type) {
      case "changes": {
        const queue = this.pendingChanges.get(message.run);
        if (queue) queue.push(message);
        else this.pendingChanges.set(message.run, [message]);
        this.askForFlush();
        return;
      }
      case "runs":
        for (const run of message.items) this.pendingRuns.set(run.id, run);
        this.askForFlush();
        return;
      case "gone":
        for (const subscriber of this.runs.get(message.run) ?? []) subscriber.onGone();
        return;
      case "absences":
        for (const subscriber of this.absences) subscriber();
        return;
      case "figures":
        for (const subscriber of this.figures) subscriber();
        return;
      case "pong":
        this.state.setState({ inStepAt: this.clock.now() });
    }
  }

  private askForFlush(): void {
    if (this.flushAsked) return;
    this.flushAsked = true;
    const pause = Math.max(0, this.flushedAt + FLUSH_EVERY - this.clock.now());
    const flush = () => this.clock.frame(() => this.flush());
    if (pause > 0) this.clock.setTimeout(flush, pause);
    else flush();
  }

  private flush(): void {
    this.flushAsked = false;
    this.flushedAt = this.clock.now();
    this.state.setState({ inStepAt: this.flushedAt });
    const changes = [...this.pendingChanges];
    const runs = [...this.pendingRuns.values()];
    this.pendingChanges.clear();
    this.pendingRuns.clear();
    for (const [run, list] of changes) {
      for (const subscriber of this.runs.get(run) ?? []) subscriber.onChanges(list);
    }
    if (runs.length === 0) return;
    for (const [subscriber, workflow] of this.lists) {
      const wanted = workflow === null ? runs : runs.filter((run) => run.workflow.id === workflow);
      if (wanted.length > 0) subscriber(wanted);
    }
  }
}
