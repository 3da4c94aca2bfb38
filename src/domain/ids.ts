declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** The workflow's first execution run id (a UUID). Workflow code and SQL agree on it; a retry cannot make a second one. */
export type RunId = Brand<string, 'RunId'>;

/** The task queue of every workflow, and of all activities except those that pull from shops. */
export const TASK_QUEUE = 'durasync';

/** The task queue of steps that pull from shops, so that they never delay the other syncs. */
export const COMMERCE_TASK_QUEUE = 'durasync-commerce';

/** The one slot for manual runs of a sync: a second start finds the first one running. */
export const manualRunId = (sync: string): string => `sync/${sync}`;

/** The slot for previews of a sync, so that a preview never blocks a run. */
export const planRunId = (sync: string): string => `plan/${sync}`;

/** The slot for replays of a sync's quarantined rows. */
export const replayRunId = (sync: string): string => `replay/${sync}`;

/** The workflow that loads one uploaded file: the same file is never loaded twice at once. */
export const importRunId = (uploadId: string): string => `import/${uploadId}`;

/** The workflow that undoes a run: it is never undone twice at once. */
export const undoId = (of: string): string => `undo/${of}`;

/** The workflow that waits for a decision about a held run. */
export const holdId = (runId: RunId): string => `hold/${runId}`;

/** The prefix of a schedule's runs; the server appends the scheduled time. */
export const scheduledRunId = (scheduleId: string): string => `scheduled/${scheduleId}`;

/** The one workflow that sends notifications; open only while there are some. */
export const NOTIFICATIONS_ID = 'notifications';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** True for a UUID as PostgreSQL and Temporal write it. */
export const isUuid = (text: string): boolean => UUID.test(text);

/** True for text that has the form of a run id. */
export const isRunId = (text: string): text is RunId => isUuid(text);
