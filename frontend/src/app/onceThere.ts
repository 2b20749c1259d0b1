/** A part that is loaded behind the screen comes when the network is back, where it is away: that it cannot come now is
 * no reason to take the screen away. What fails with a network fails. */
export function onceThere<T>(load: () => Promise<T>): Promise<T> {
  return load().catch((error: unknown) => {
    if (navigator.onLine) throw error;
    return new Promise<T>((resolve, reject) => {
      window.addEventListener("online", () => onceThere(load).then(resolve, reject), { once: true });
    });
  });
}
