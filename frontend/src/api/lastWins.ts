/**
 * Sends what somebody chooses, one after another: while one is on its way only the newest of those behind it waits, so
 * that the server keeps what was chosen last, however long each takes.
 */
export function lastWins<T>(send: (value: T) => Promise<unknown>, onFailed: () => void): (value: T) => void {
  let waiting: { value: T } | null = null;
  let busy = false;
  const next = async (): Promise<void> => {
    while (waiting) {
      const { value } = waiting;
      waiting = null;
      try {
        await send(value);
      } catch {
        // What was chosen since is sent all the same; without that the server knows better.
        if (!waiting) onFailed();
      }
    }
    busy = false;
  };
  return (value) => {
    waiting = { value };
    if (busy) return;
    busy = true;
    void next();
  };
}
