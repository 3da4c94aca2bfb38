/**
 * Every failure that may cross Temporal, and which retry it deserves.
 *
 * `never`   trying again cannot help: somebody has to change a setting, a file or a decision
 * `backoff` trying again with growing pauses usually helps
 * `asked`   the other side says when to come back (`retryAfterMs`), else as `backoff`
 */
export const FAILURES = {
  SourceNotConfigured: 'never',
  SourceUnauthorized: 'never',
  SourceNotFound: 'never',
  SourceRefused: 'never',
  SourceRedirectLoop: 'never',
  SourceThrottled: 'asked',
  SourceUnavailable: 'backoff',
  SourceTruncated: 'backoff',
  FileUnreadable: 'never',
  MissingColumn: 'never',
  InvalidInput: 'never',
  UnknownSync: 'never',
  SyncOff: 'never',
  RunNotFound: 'never',
  StagingLost: 'never',
  Fenced: 'never',
  DatabaseRefused: 'never',
  DatabaseUnavailable: 'backoff',
  Unexpected: 'backoff',
} as const satisfies Record<string, 'never' | 'backoff' | 'asked'>;

export type FailureCode = keyof typeof FAILURES;

export interface FailureOptions {
  /** The wait the other side asked for, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/**
 * An expected failure: a stable code and one sentence that says what happened, where, and what to do.
 * The message is shown to people and recorded in Temporal, so it never holds a secret: name a source by
 * setting, scheme and host.
 */
export class SyncFailure extends Error {
  override readonly name = 'SyncFailure';
  readonly code: FailureCode;
  readonly retryAfterMs: number | undefined;

  constructor(code: FailureCode, message: string, options: FailureOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }
}
