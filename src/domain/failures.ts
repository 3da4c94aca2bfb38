/**
 * Every failure that may cross Temporal, and which retry it deserves.
 *
 * `never`  trying again cannot help: somebody has to change a setting, a file or a decision
 * `few`    trying again often helps, but not for ever: the table fails after ATTEMPTS_MAX attempts
 * `asked`  as `few`, waiting as long as the other side asks for
 * `always` it passes by itself: only the run's deadline ends it
 */
export const FAILURES = {
  SourceNotConfigured: 'never',
  SourceUnauthorized: 'never',
  SourceNotFound: 'never',
  SourceRefused: 'never',
  SourceRedirectLoop: 'never',
  SourceThrottled: 'asked',
  SourceUnavailable: 'few',
  SourceTruncated: 'few',
  FileUnreadable: 'never',
  MissingColumn: 'never',
  InvalidInput: 'never',
  UnknownSync: 'never',
  SyncOff: 'never',
  RunEnded: 'never',
  UndoOpen: 'always',
  StagingLost: 'never',
  Fenced: 'always',
  DatabaseRefused: 'never',
  DatabaseUnavailable: 'always',
  BackupUnusable: 'never',
  BackupPlaceRefused: 'never',
  BackupPlaceFull: 'few',
  BackupPlaceUnavailable: 'few',
  RestoreRefused: 'never',
  Unexpected: 'few',
} as const satisfies Record<string, 'never' | 'few' | 'asked' | 'always'>;

export type FailureCode = keyof typeof FAILURES;

/** Attempts of a step that fails with `few` or `asked`. */
export const ATTEMPTS_MAX = 4;

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
