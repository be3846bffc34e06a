import { DeadlineExceeded } from "./errors.js";

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 8_000;

/** When a call must end: at its deadline, or when its signal aborts. */
export class Patience {
  readonly #until: number;

  constructor(
    readonly deadlineMs: number | undefined,
    readonly signal: AbortSignal | undefined,
  ) {
    this.#until = deadlineMs === undefined ? Infinity : Date.now() + deadlineMs;
  }

  get leftMs(): number {
    return this.#until - Date.now();
  }

  /** Throw if the call must end. */
  check(cause?: unknown): void {
    this.signal?.throwIfAborted();
    if (this.leftMs <= 0) throw this.exceeded(cause);
  }

  /** Sleep, or throw as soon as it is certain that the call must end before that. */
  async sleep(ms: number, cause?: unknown): Promise<void> {
    this.check(cause);
    if (ms >= this.leftMs) throw this.exceeded(cause);
    await new Promise<void>((resolve, reject) => {
      const aborted = () => {
        clearTimeout(timer);
        reject(this.signal?.reason);
      };
      const timer = setTimeout(() => {
        this.signal?.removeEventListener("abort", aborted);
        resolve();
      }, ms);
      this.signal?.addEventListener("abort", aborted, { once: true });
    });
  }

  exceeded(cause?: unknown): DeadlineExceeded {
    return new DeadlineExceeded(`The call did not succeed within ${this.deadlineMs} ms.`, { cause });
  }
}

/** Return how long to wait before repeating a request: at least as long as the server asks for, with jitter. */
export function delayMs(attempt: number, retryAfterMs: number | undefined): number {
  const backoff = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
  if (retryAfterMs !== undefined) return retryAfterMs + Math.random() * Math.min(backoff, 1_000);
  return backoff * (0.5 + Math.random() / 2);
}
