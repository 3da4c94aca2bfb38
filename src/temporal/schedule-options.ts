import { isDeepStrictEqual } from 'node:util';
import { type ScheduleDescription, type ScheduleOptions, ScheduleOverlapPolicy } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { scheduledRunId, TASK_QUEUE } from '../domain/ids.ts';
import { backupSettings } from '../connectors/backups/backup-settings.ts';
import { type Environment, readSettings } from '../settings.ts';
import { offReason } from '../syncs/configured.ts';
import { runTimeoutMs, type ScheduleDefinition, type SyncDefinition } from '../syncs/define-sync.ts';
import { scheduleSpec, type ScheduleTimesSpec } from './schedule-spec.ts';

export const SYNC_NAME = defineSearchAttributeKey('SyncName', SearchAttributeType.KEYWORD);
const SYNC_TRIGGER = defineSearchAttributeKey('SyncTrigger', SearchAttributeType.KEYWORD);

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A schedule as our definitions want it. */
export interface WantedSchedule {
  readonly options: ScheduleOptions & {
    readonly spec: ScheduleTimesSpec;
    readonly policies: NonNullable<ScheduleOptions['policies']>;
  };
  /** Why it must not run, naming the variable. */
  readonly off: string | undefined;
}

/**
 * Every schedule there should be: those of the definitions, the hourly sweep, and those about clients.
 *
 * @throws ConfigurationError, CronTextError
 */
export function wantedSchedules(
  syncs: readonly SyncDefinition[],
  env: Environment,
  now: Date,
): WantedSchedule[] {
  const ofSyncs = syncs.flatMap((sync) => {
    const settings = readSettings(sync.settings, env);
    const off = offReason(sync, settings) ?? sync.scheduleOff?.(settings);
    return sync.schedules(settings).map((schedule) => ({
      off,
      options: scheduleOptions(schedule, now, {
        workflowType: 'runSync',
        args: [{ ...schedule.input, trigger: 'schedule' }],
        workflowRunTimeout: runTimeoutMs(sync, settings),
        staticSummary: sync.title,
        typedSearchAttributes: [
          { key: SYNC_NAME, value: sync.name },
          { key: SYNC_TRIGGER, value: 'schedule' },
        ],
      }),
    }));
  });
  const { BACKUP_TIMEZONE } = readSettings(backupSettings, env);
  return [
    ...ofSyncs,
    ...ownSchedules(BACKUP_TIMEZONE).map(
      ({ id, cron, timeZone = 'UTC', catchupWindowMs, of, ...action }) => ({
        off: undefined,
        options: scheduleOptions({ id, at: { cron }, timeZone, catchupWindowMs }, now, {
          ...action,
          args: [],
          typedSearchAttributes: [
            ...(of ? [{ key: SYNC_NAME, value: of }] : []),
            { key: SYNC_TRIGGER, value: 'schedule' },
          ],
        }),
      }),
    ),
  ];
}

interface OwnSchedule extends Required<
  Pick<Action, 'workflowType' | 'workflowRunTimeout' | 'staticSummary'>
> {
  readonly id: string;
  readonly cron: string;
  /** UTC by default, where no night lacks 03:00 or has it twice. */
  readonly timeZone?: string;
  readonly catchupWindowMs: number;
  /** The sync that it belongs to. */
  readonly of?: string;
}

/** The schedules that no definition of a sync asks for. */
const ownSchedules = (backupTimeZone: string): readonly OwnSchedule[] => [
  {
    id: 'sweep-runs',
    cron: '17 * * * *',
    catchupWindowMs: 10 * MINUTE_MS,
    workflowType: 'sweepRuns',
    workflowRunTimeout: 10 * MINUTE_MS,
    staticSummary: 'Ends the rows of runs whose workflow is gone',
  },
  {
    id: 'health-hourly',
    cron: '47 * * * *',
    catchupWindowMs: 10 * MINUTE_MS,
    workflowType: 'maintainHealth',
    workflowRunTimeout: 30 * MINUTE_MS,
    staticSummary: 'Looks at everything and tells people what has changed',
  },
  {
    id: 'sku-analysis',
    cron: '0 1,9,17 * * *',
    catchupWindowMs: HOUR_MS,
    of: 'commerce',
    workflowType: 'analyseSkus',
    workflowRunTimeout: 6 * HOUR_MS,
    staticSummary: 'Computes stock and sales of every SKU of every client',
  },
  {
    id: 'clients-reconcile',
    cron: '37 * * * *',
    catchupWindowMs: 10 * MINUTE_MS,
    of: 'commerce',
    workflowType: 'reconcileClients',
    workflowRunTimeout: HOUR_MS,
    staticSummary: 'Starts missing workflows of clients and ends those of removed ones',
  },
  {
    id: 'backup-daily',
    cron: '0 3 * * *',
    timeZone: backupTimeZone,
    catchupWindowMs: 6 * HOUR_MS,
    workflowType: 'maintainBackup',
    workflowRunTimeout: 24 * HOUR_MS,
    staticSummary: 'Backs the database up',
  },
  {
    id: 'retention-weekly',
    cron: '0 4 * * 0',
    timeZone: backupTimeZone,
    catchupWindowMs: 6 * HOUR_MS,
    workflowType: 'maintainRetention',
    workflowRunTimeout: 24 * HOUR_MS,
    staticSummary: 'Proves the newest backup and removes what is past its age',
  },
];

type Action = Pick<
  ScheduleOptions['action'],
  'workflowType' | 'args' | 'workflowRunTimeout' | 'staticSummary' | 'typedSearchAttributes'
>;

function scheduleOptions(
  schedule: Omit<ScheduleDefinition, 'input'>,
  now: Date,
  action: Action,
): WantedSchedule['options'] {
  return {
    scheduleId: schedule.id,
    spec: scheduleSpec(schedule, now),
    action: {
      ...action,
      type: 'startWorkflow',
      workflowId: scheduledRunId(schedule.id),
      taskQueue: TASK_QUEUE,
    },
    policies: {
      overlap: ScheduleOverlapPolicy.SKIP,
      catchupWindow: schedule.catchupWindowMs,
      pauseOnFailure: false,
    },
    typedSearchAttributes: action.typedSearchAttributes,
  };
}

/** Whether the server has all of what is wanted, except for the paused state. */
export function isUpToDate(current: ScheduleDescription, { options }: WantedSchedule): boolean {
  return (
    sameTimes(current.spec, options.spec) &&
    isDeepStrictEqual(comparable(current), comparable(options)) &&
    isDeepStrictEqual(current.policies, options.policies)
  );
}

function comparable({ action }: Pick<ScheduleDescription | ScheduleOptions, 'action'>): unknown {
  const { workflowType, workflowId, taskQueue, args, workflowRunTimeout, staticSummary } = action;
  const attributes = action.typedSearchAttributes ?? [];
  const pairs = Array.isArray(attributes) ? attributes : attributes.getAll();
  const values = Object.fromEntries(pairs.map(({ key, value }) => [key.name, value]));
  // As JSON, because that is how the server got the arguments.
  const payload = JSON.stringify(args);
  return { workflowType, workflowId, taskQueue, payload, workflowRunTimeout, staticSummary, values };
}

function sameTimes(current: ScheduleDescription['spec'], wanted: ScheduleTimesSpec): boolean {
  const calendars = current.calendars ?? [];
  const everyYear = calendars.filter(({ year }) => year.length === 0);
  const exceptions = calendars.filter(({ year }) => year.length > 0);
  const { intervals, skip, timezone } = wanted;
  return (
    isDeepStrictEqual(
      everyYear.map(({ comment }) => comment),
      wanted.cronExpressions.map(commentOf),
    ) &&
    isDeepStrictEqual(exceptions, wanted.calendars) &&
    isDeepStrictEqual([current.intervals, current.skip, current.timezone], [intervals, skip, timezone]) &&
    !current.startAt &&
    !current.endAt &&
    !current.jitter
  );
}

const commentOf = (cron: string): string => cron.slice(cron.indexOf('# ') + 2);
