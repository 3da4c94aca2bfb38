/** What a look at the whole installation finds. */

export type HealthStatus = 'healthy' | 'warning' | 'error';

export interface HealthCheck {
  /** 'database', 'temporal', 'freshness: fleet' and so on. */
  readonly name: string;
  readonly status: HealthStatus;
  /** One sentence for people. Never a secret or a row of data. */
  readonly message: string;
  /** Figures, by name. */
  readonly detail?: Readonly<Record<string, number | string | null>>;
}

/** What `health --json`, the HTTP API and the workflow's result show. */
export interface HealthReport {
  /** An instant (ISO). */
  readonly timestamp: string;
  /** The worst of all checks. */
  readonly status: HealthStatus;
  readonly checks: readonly HealthCheck[];
}

const ORDER: readonly HealthStatus[] = ['healthy', 'warning', 'error'];

/** The worst status of some checks. */
export const worstOf = (checks: readonly Pick<HealthCheck, 'status'>[]): HealthStatus =>
  ORDER[Math.max(0, ...checks.map(({ status }) => ORDER.indexOf(status)))] ?? 'healthy';

/** The name of the check that everything else depends on. */
export const DATABASE_CHECK = 'database';

/** Whether a report says that PostgreSQL did not answer. */
export const databaseWasDown = (report: HealthReport | undefined): boolean =>
  report?.checks.some(({ name, status }) => name === DATABASE_CHECK && status === 'error') ?? false;

/** What Temporal says about itself. Each throws when it does not answer. */
export interface TemporalHealth {
  answers(): Promise<void>;
  /** How many workers have asked for work lately. */
  workers(): Promise<number>;
  /** Schedules that a person has paused, with the note. */
  pausedSchedules(): Promise<ReadonlyMap<string, string>>;
}

/** The activity of `maintainHealth`. */
export interface HealthActivities {
  /**
   * Looks at everything, tells of problems and recoveries once, and keeps the report. When PostgreSQL does not
   * answer, nothing can be kept: people are then told at once, unless the report before said the same.
   */
  checkHealth(input: { readonly databaseWasDown: boolean }): Promise<HealthReport>;
}
