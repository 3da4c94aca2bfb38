import { proxyActivities } from '@temporalio/workflow';
import type { BackfillActivities } from '../src/domain/backfills.ts';
import type { CareActivities } from '../src/domain/backups.ts';
import type { ClientActivities } from '../src/domain/clients.ts';
import type { NotifyActivities, SyncActivities } from '../src/domain/contracts.ts';
import type { HealthActivities } from '../src/domain/health.ts';
import type { SkuActivities } from '../src/domain/sku-analysis.ts';
import type { UndoActivities } from '../src/domain/undo.ts';
import { CARE, HEAVY, PROBE, QUICK } from './activity-options.ts';

/** Activities that move whole tables or ask outside systems. */
export const heavy =
  proxyActivities<
    Pick<
      SyncActivities,
      | 'stageTable'
      | 'reviewTable'
      | 'mergeStaged'
      | 'archiveMissing'
      | 'enrichTable'
      | 'deriveTable'
      | 'keepStaging'
    >
  >(HEAVY);

/** Activities that read or write a few rows. */
export const quick = proxyActivities<
  Pick<SyncActivities, 'planRun' | 'closeTable' | 'finishRun' | 'sweepRuns'> &
    Pick<UndoActivities, 'planUndo'>
>(QUICK);

/** The activity that takes back what a run wrote. */
export const undoes = proxyActivities<Pick<UndoActivities, 'takeBack'>>(HEAVY);

/** The activity that looks at the whole installation. */
export const health = proxyActivities<HealthActivities>(HEAVY);

/** The activity that sends what people should hear of. */
export const notifications = proxyActivities<NotifyActivities>(HEAVY);

/** The activity that asks a source whether it lets us in. */
export const probes = proxyActivities<Pick<SyncActivities, 'testConnection'>>(PROBE);

/** The activity that refuses what can't be backfilled. */
export const backfills = proxyActivities<BackfillActivities>(QUICK);

/** Activities of client workflows. */
export const clients = proxyActivities<Omit<ClientActivities, 'reconcileWorkflows'>>(QUICK);

/** The activity that looks at every client. */
export const clientsInBulk = proxyActivities<Pick<ClientActivities, 'reconcileWorkflows'>>(HEAVY);

/** The activity that computes SKUs. */
export const skus = proxyActivities<SkuActivities>(HEAVY);

/** Activities that care for the whole database. */
export const care = proxyActivities<CareActivities>(CARE);

/** Options that put one line for people on an activity in the Web UI. */
export const heavySummary = (summary: string) => ({ ...HEAVY, summary });
export const quickSummary = (summary: string) => ({ ...QUICK, summary });
export const probeSummary = (summary: string) => ({ ...PROBE, summary });
