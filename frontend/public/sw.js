// The inbox without a network: its page and the files of the app, nothing else. Whatever comes from the API goes past here.
const SHELL = "millrace-shell";
const PAGE = "/inbox";
const MOST = 400;

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("message", (event) => {
  if (event.data && Array.isArray(event.data.keep)) event.waitUntil(keep(event.data.keep));
});

async function keep(paths) {
  const cache = await caches.open(SHELL);
  const wanted = new Set(paths.filter((path) => path.startsWith("/assets/")));
  const known = new Map((await cache.keys()).map((request) => [new URL(request.url).pathname, request]));
  if (known.size > MOST) {
    // Of builds that have gone.
    for (const [path, request] of known) if (!wanted.has(path)) await cache.delete(request);
  }
  for (const path of wanted) {
    if (!known.has(path)) await put(cache, path);
  }
  // The page names the files of its build: it is kept last, and anew each time.
  await put(cache, PAGE);
}

async function put(cache, path) {
  try {
    const answer = await fetch(path, { credentials: "same-origin" });
    if (answer.ok && !answer.redirected) await cache.put(path, answer);
  } catch {
    // Without a network what was kept before stays.
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" ? url.pathname === PAGE : url.pathname.startsWith("/assets/")) {
    event.respondWith(
      fetch(request).catch(async (error) => {
        const cache = await caches.open(SHELL);
        const found = await cache.match(request.mode === "navigate" ? PAGE : url.pathname);
        if (found) return found;
        throw error;
      }),
    );
  }
});
