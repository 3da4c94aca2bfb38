import { ApplicationFailure, sleep } from '@temporalio/workflow';
import type { RunSyncInput } from '../../src/domain/contracts.ts';
import type { RunResult } from '../../src/domain/run-result.ts';

export { backfillSync } from '../../workflows/backfill.ts';

/** Days whose runs do not complete, and how they end. */
export const TROUBLE: Readonly<Record<string, 'failed' | 'held' | 'throws'>> = {
  '2025-02-13': 'failed',
  '2025-06-13': 'held',
  '2025-10-13': 'throws',
};

/** In place of the real one: a run that takes an hour, reads two rows and works on no table. */
export async function runSync({ sync, from = '' }: RunSyncInput): Promise<Partial<RunResult>> {
  await sleep('1 hour');
  const trouble = TROUBLE[from];
  if (trouble === 'throws') throw ApplicationFailure.nonRetryable('nobody foresaw this');
  return {
    sync,
    status: trouble ?? 'completed',
    total_rows_processed: 2,
    error_message: trouble ? `${from} is a bad day` : null,
  };
}
