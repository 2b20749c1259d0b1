import { beforeEach, describe, expect, it, vi } from "vitest";

import type { Run, RunChange } from "../api/types";
import { LiveSocket } from "./socket";

/** A socket, a clock and frames that do only what the test says. */
class Wire {
  static all: Wire[] = [];
  readyState = 0;
  sent: unknown[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  constructor() {
    Wire.all.push(this);
  }
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  open() {
    this.readyState = 1;
    this.onopen?.();
  }
  say(message: unknown) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  drop(code = 1006) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

let now = 0;
let timers: { id: number; at: number; run: () => void }[] = [];
let ids = 0;

function advance(ms: number) {
  const end = now + ms;
  for (;;) {
    const next = timers.filter((timer) => timer.at <= end).sort((left, right) => left.at - right.at)[0];
    if (!next) break;
    timers = timers.filter((timer) => timer !== next);
    now = next.at;
    next.run();
  }
  now = end;
}

function makeSocket(onSessionEnded = () => {}) {
  const live = new LiveSocket({
    url: () => "ws://test",
    onSessionEnded,
    connect: () => new Wire() as unknown as WebSocket,
    clock: {
      now: () => now,
      random: () => 0.5,
      frame: (run) => run(),
      setTimeout: (run, ms) => {
        ids += 1;
        timers.push({ id: ids, at: now + ms, run });
        return ids;
      },
      clearTimeout: (id) => {
        timers = timers.filter((timer) => timer.id !== id);
      },
    },
  });
  live.start();
  return live;
}

const latest = (): Wire => {
  const wire = Wire.all.at(-1);
  if (!wire) throw new Error("no socket was opened");
  return wire;
};

function change(seq: number): RunChange {
  return { type: "changes", run: "r1", after: seq - 1, seq, state: {}, steps: [] };
}

beforeEach(() => {
  Wire.all = [];
  timers = [];
  now = 1_000_000;
});

describe("the live socket", () => {
  it("asks for a run from where its subscriber stands, and again after a reconnect", () => {
    const live = makeSocket();
    let seq = 7;
    live.subscribeRun("r1", { after: () => seq, onChanges: () => {}, onGone: () => {} });
    latest().open();
    expect(latest().sent).toContainEqual({ type: "subscribe", run: "r1", after: 7 });
    seq = 9;
    latest().drop();
    expect(live.state.getState().status).toBe("paused");
    advance(600);
    latest().open();
    expect(Wire.all).toHaveLength(2);
    expect(latest().sent).toContainEqual({ type: "subscribe", run: "r1", after: 9 });
    expect(live.state.getState().status).toBe("open");
  });

  it("waits longer after each failure, up to fifteen seconds", () => {
    makeSocket();
    const pauses: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      const before = now;
      latest().drop();
      advance(20_000);
      const opened = Wire.all.length;
      expect(opened).toBe(round + 2);
      pauses.push(before);
    }
    now = 2_000_000;
    latest().drop();
    advance(14_999);
    expect(Wire.all).toHaveLength(9);
    advance(2);
    expect(Wire.all).toHaveLength(10);
  });

  it("hands on many messages at once, at most every 100 ms", () => {
    const live = makeSocket();
    const onChanges = vi.fn();
    live.subscribeRun("r1", { after: () => 0, onChanges, onGone: () => {} });
    latest().open();
    latest().say(change(1));
    expect(onChanges).toHaveBeenCalledTimes(1);
    for (let seq = 2; seq <= 40; seq += 1) latest().say(change(seq));
    expect(onChanges).toHaveBeenCalledTimes(1);
    advance(100);
    expect(onChanges).toHaveBeenCalledTimes(2);
    expect(onChanges.mock.lastCall?.[0]).toHaveLength(39);
  });

  it("gives list subscribers only the runs of their workflow", () => {
    const live = makeSocket();
    const all = vi.fn();
    const one = vi.fn();
    live.subscribeRuns(null, all);
    live.subscribeRuns("w1", one);
    latest().open();
    expect(latest().sent).toContainEqual({ type: "subscribe", topic: "runs", workflow: null });
    const run = (id: string, workflow: string) => ({ id, workflow: { id: workflow, name: "" } }) as Run;
    latest().say({ type: "runs", items: [run("a", "w1"), run("b", "w2")] });
    expect(all.mock.lastCall?.[0]).toHaveLength(2);
    expect(one.mock.lastCall?.[0]).toEqual([run("a", "w1")]);
  });

  it("has absences read anew whenever the line opens, as what changed before was not told", () => {
    const live = makeSocket();
    const away = vi.fn();
    const leave = live.subscribeAbsences(away);
    latest().open();
    expect(away).toHaveBeenCalledTimes(1);
    latest().say({ type: "absences" });
    expect(away).toHaveBeenCalledTimes(2);
    latest().drop();
    advance(600);
    latest().open();
    expect(away).toHaveBeenCalledTimes(3);
    leave();
    latest().say({ type: "absences" });
    expect(away).toHaveBeenCalledTimes(3);
  });

  it("does not knock again when the session has ended, until somebody signs in", () => {
    const ended = vi.fn();
    const live = makeSocket(ended);
    latest().open();
    latest().drop(4401);
    expect(ended).toHaveBeenCalledOnce();
    advance(60_000);
    expect(Wire.all).toHaveLength(1);
    live.retryNow();
    expect(Wire.all).toHaveLength(2);
  });

  it("gives up where the workspace is not allowed", () => {
    const live = makeSocket();
    latest().drop(4403);
    advance(60_000);
    expect(Wire.all).toHaveLength(1);
    expect(live.state.getState().status).toBe("refused");
  });

  it("notices a line that died without a word", () => {
    makeSocket();
    latest().open();
    advance(20_000);
    expect(latest().sent).toContainEqual({ type: "ping" });
    advance(60_000);
    expect(Wire.all.length).toBeGreaterThan(1);
  });

  it("tells of runs that are gone, and unsubscribes when the last reader leaves", () => {
    const live = makeSocket();
    const onGone = vi.fn();
    const leave = live.subscribeRun("r1", { after: () => 0, onChanges: () => {}, onGone });
    latest().open();
    latest().say({ type: "gone", run: "r1" });
    expect(onGone).toHaveBeenCalledOnce();
    leave();
    expect(latest().sent.at(-1)).toEqual({ type: "unsubscribe", run: "r1" });
  });

  it("closes a line that is still being opened once it is open, as browsers complain of it before", () => {
    const live = makeSocket();
    live.stop();
    expect(latest().readyState).toBe(0);
    latest().open();
    expect(latest().readyState).toBe(3);
    expect(live.state.getState().status).toBe("connecting");
  });
});

it("follows the figures of the monitor while somebody shows them, and again after each reconnect", () => {
  const live = makeSocket();
  live.start();
  const wire = Wire.all.at(-1);
  wire?.open();
  const changed = vi.fn();
  const stops = [live.subscribeFigures(changed), live.subscribeFigures(() => {})];
  expect(wire?.sent).toEqual([{ type: "subscribe", topic: "figures" }]);
  wire?.say({ type: "figures" });
  expect(changed).toHaveBeenCalledTimes(1);
  wire?.drop();
  advance(20_000);
  const next = Wire.all.at(-1);
  next?.open();
  expect(next?.sent).toEqual([{ type: "subscribe", topic: "figures" }]);
  expect(changed).toHaveBeenCalledTimes(2);
  for (const stop of stops) stop();
  expect(next?.sent.at(-1)).toEqual({ type: "unsubscribe", topic: "figures" });
});
