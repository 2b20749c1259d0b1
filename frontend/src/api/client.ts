/**
 * The only place that talks HTTP. Sends the session cookie and the CSRF token, turns problem documents into `ApiError`,
 * and tells the shell when the session has ended.
 */
import { ApiError, NetworkError } from "../ui/requestErrors";
import { formatExact } from "../graph/exact";
import type { Session } from "./types";

export { ApiError, NetworkError };

const PREFIX = "/api/v1";

let csrfToken = "";

/** Remembers the token that unsafe requests must carry; every session answer brings the current one. */
export function rememberSession(session: Session): Session {
  csrfToken = session.csrf_token;
  return session;
}

type SessionEndedListener = () => void;
const sessionEndedListeners = new Set<SessionEndedListener>();

/** Calls `listener` when a request was refused because nobody is signed in any more. Returns the way to stop. */
export function onSessionEnded(listener: SessionEndedListener): () => void {
  sessionEndedListeners.add(listener);
  return () => sessionEndedListeners.delete(listener);
}

export type Query = Record<string, string | number | boolean | null | undefined | readonly string[]>;

export interface RequestOptions {
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Makes the write safe to send again. */
  idempotencyKey?: string;
  /** Answers 401 to the caller instead of opening the sign-in dialog. */
  quiet?: boolean;
  /** Arrives even if the page is closed meanwhile; for small bodies only. */
  keepalive?: boolean;
  /** Reads the body; `JSON.parse` by default. */
  parse?: (body: string) => unknown;
  /** The answer is a file. */
  file?: boolean;
}

export interface Answer<T> {
  data: T;
  status: number;
  headers: Headers;
}

export function urlOf(path: string, query?: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === null || value === undefined || value === "") continue;
    if (Array.isArray(value)) for (const one of value) search.append(name, one);
    else search.set(name, String(value));
  }
  const tail = search.toString();
  return `${PREFIX}${path}${tail ? `?${tail}` : ""}`;
}

async function send(method: string, path: string, options: RequestOptions): Promise<Response> {
  const headers = new Headers({ Accept: "application/json", ...options.headers });
  if (options.body !== undefined) headers.set("Content-Type", "application/json");
  if (method !== "GET") headers.set("X-CSRFToken", csrfToken);
  if (options.idempotencyKey) headers.set("Idempotency-Key", options.idempotencyKey);
  try {
    return await fetch(urlOf(path, options.query), {
      method,
      headers,
      credentials: "same-origin",
      ...(options.body === undefined ? {} : { body: formatExact(options.body) }),
      ...(options.signal ? { signal: options.signal } : {}),
      ...(options.keepalive ? { keepalive: true } : {}),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new NetworkError(error);
  }
}

async function bodyOf(response: Response, { parse = JSON.parse, file = false }: RequestOptions): Promise<unknown> {
  if (file && response.ok) return response.blob();
  const raw = await response.text();
  if (!raw) return undefined;
  const kind = response.headers.get("Content-Type") ?? "";
  if (!kind.includes("json")) return response.ok ? raw : { title: response.statusText };
  return parse(raw);
}

/** Sends a request and returns the parsed body with status and headers. Throws ApiError or NetworkError. */
export async function call<T>(method: string, path: string, options: RequestOptions = {}): Promise<Answer<T>> {
  let response = await send(method, path, options);
  let body = await bodyOf(response, options);
  if (response.status === 403 && method !== "GET" && /csrf/i.test(new ApiError(403, body).code)) {
    // The token changed in another tab (signing in renews it): fetch the current one and try once more.
    await refreshSession();
    response = await send(method, path, options);
    body = await bodyOf(response, options);
  }
  if (response.status === 401 && !options.quiet && (await isSignedIn())) {
    // The session went on under another key while this was on its way, as when one changes one's password.
    response = await send(method, path, options);
    body = await bodyOf(response, options);
  }
  if (response.ok) return { data: body as T, status: response.status, headers: response.headers };
  const error = new ApiError(response.status, body);
  if (error.status === 401 && !options.quiet) for (const listener of sessionEndedListeners) listener();
  throw error;
}

export interface UploadOptions {
  query?: Query;
  idempotencyKey: string;
  /** Of how many bytes are on their way. */
  onProgress: (sent: number) => void;
  signal: AbortSignal;
}

/** Sends a file as it is. Throws ApiError or NetworkError, and AbortError where it was stopped. */
export async function upload<T>(path: string, file: File, options: UploadOptions): Promise<T> {
  try {
    return await sendFile<T>(path, file, options);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 403 || !/csrf/i.test(error.code)) throw error;
    await refreshSession();
    return sendFile<T>(path, file, options);
  }
}

/** `fetch` tells nobody how far an upload is. */
function sendFile<T>(path: string, file: File, { query, idempotencyKey, onProgress, signal }: UploadOptions): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = (): void => request.abort();
    request.open("POST", urlOf(path, query));
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.setRequestHeader("X-CSRFToken", csrfToken);
    request.setRequestHeader("Idempotency-Key", idempotencyKey);
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => {
      const body = read(request.responseText);
      if (request.status >= 200 && request.status < 300) {
        resolve(body as T);
        return;
      }
      const error = new ApiError(request.status, body);
      if (error.status === 401) for (const listener of sessionEndedListeners) listener();
      reject(error);
    };
    request.onerror = () => reject(new NetworkError(null));
    request.onabort = () => reject(new DOMException("Stopped", "AbortError"));
    request.onloadend = () => signal.removeEventListener("abort", stop);
    signal.addEventListener("abort", stop);
    if (signal.aborted) reject(new DOMException("Stopped", "AbortError"));
    else request.send(file);
  });
}

function read(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function dataOf<T>(method: string, path: string, options?: RequestOptions): Promise<T> {
  return (await call<T>(method, path, options)).data;
}

export const api = {
  get: <T>(path: string, options?: RequestOptions) => dataOf<T>("GET", path, options),
  post: <T>(path: string, body?: unknown, options?: RequestOptions) =>
    dataOf<T>("POST", path, { ...options, body: body ?? {} }),
  put: <T>(path: string, body: unknown, options?: RequestOptions) => dataOf<T>("PUT", path, { ...options, body }),
  patch: <T>(path: string, body: unknown, options?: RequestOptions) => dataOf<T>("PATCH", path, { ...options, body }),
  delete: <T = void>(path: string, options?: RequestOptions) => dataOf<T>("DELETE", path, options),
};

/** A fresh key for one intended write; the same key must be sent when the same intention is sent again. */
export function newIdempotencyKey(): string {
  return crypto.randomUUID();
}

/** One key for one body, as long as no other body comes between: a lost answer must not make a second run. */
export function keyForEach(): (body: unknown) => string {
  let last = "";
  let key = "";
  return (body) => {
    const text = formatExact(body);
    if (text !== last) key = newIdempotencyKey();
    last = text;
    return key;
  };
}

export async function refreshSession(): Promise<Session> {
  return rememberSession(await api.get<Session>("/session", { quiet: true }));
}

/** The answer that brings a session's new key may still be on its way when the old one is refused. */
const KEY_ON_ITS_WAY_MS = 700;

/** Whether the server knows who this is; not where it gives no answer. */
export async function isSignedIn(): Promise<boolean> {
  try {
    if ((await refreshSession()).user !== null) return true;
    await new Promise((resolve) => setTimeout(resolve, KEY_ON_ITS_WAY_MS));
    return (await refreshSession()).user !== null;
  } catch {
    return false;
  }
}
