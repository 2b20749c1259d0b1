/** What a request can fail with, and what there is to say about it. */

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly params: Record<string, unknown>;
  readonly fields: Record<string, string[]>;
  readonly requestId: string;
  readonly body: unknown;

  constructor(status: number, body: unknown) {
    const problem = isRecord(body) ? body : {};
    const title = text(problem.title) || `HTTP ${status}`;
    super(text(problem.detail) || title);
    this.name = "ApiError";
    this.status = status;
    this.title = title;
    this.detail = text(problem.detail);
    this.code = text(problem.code) || `http_${status}`;
    this.params = isRecord(problem.params) ? problem.params : {};
    this.fields = isRecord(problem.fields) ? (problem.fields as Record<string, string[]>) : {};
    this.requestId = text(problem.request_id);
    this.body = body;
  }
}

/** The request never got an answer: offline, or the server is away. */
export class NetworkError extends Error {
  constructor(cause: unknown) {
    super("The server cannot be reached.", { cause });
    this.name = "NetworkError";
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
