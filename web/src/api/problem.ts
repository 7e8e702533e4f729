/** An RFC 9457 problem of the API, or one of the two that only a client can have. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    /** Stable kebab-case code; `unreachable` and `interrupted` are the page's own. */
    readonly code: string,
    readonly status: number,
    detail: string,
    readonly members: Readonly<Record<string, unknown>> = {},
    /** Seconds after which trying again makes sense, when the server said so. */
    readonly retryAfter: number | null = null,
  ) {
    super(detail);
  }

  get requestId(): string | null {
    const id = this.members["request_id"];
    return typeof id === "string" ? id : null;
  }

  /** Reads a problem document; anything else becomes a problem with the code of its status. */
  static from(document: unknown, status: number, retryAfter: string | null = null): Problem {
    const members = isRecord(document) ? document : {};
    const { code, detail } = members;
    const seconds = Number.parseFloat(retryAfter ?? "");
    return new Problem(
      typeof code === "string" ? code : `http-${status}`,
      typeof members["status"] === "number" ? members["status"] : status,
      typeof detail === "string" ? detail : "",
      members,
      Number.isFinite(seconds) ? seconds : null,
    );
  }

  static async fromResponse(response: Response): Promise<Problem> {
    const document: unknown = await response.json().catch(() => null);
    return Problem.from(document, response.status, response.headers.get("Retry-After"));
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
