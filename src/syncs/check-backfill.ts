import { z } from 'zod';
import { type BackfillInput, WINDOWS_AT_ONCE_MAX } from '../domain/backfills.ts';
import { SyncFailure } from '../domain/failures.ts';
import { checkRequest } from './check-request.ts';
import type { Settings, SyncDefinition } from './define-sync.ts';

const DAYS_MAX = 366;
const WINDOWS_PER_HISTORY_MAX = 500;

const inputSchema = z.object({
  from: z.string(),
  to: z.string(),
  days: z.number().int().min(1).max(DAYS_MAX).optional(),
  concurrency: z.number().int().min(1).max(WINDOWS_AT_ONCE_MAX).optional(),
  windowsPerHistory: z.number().int().min(1).max(WINDOWS_PER_HISTORY_MAX).optional(),
});

/**
 * Refuses a backfill of a sync without windows of days, of one that is off, or of days that make no window.
 *
 * @throws SyncFailure SyncOff or InvalidInput, saying what is wrong
 */
export function checkBackfill(sync: SyncDefinition, settings: Settings, input: BackfillInput): void {
  if (sync.windows === 'none') {
    const instead = sync.scopeTables ? 'clients sync ID' : `run ${sync.name}`;
    throw new SyncFailure(
      'InvalidInput',
      `${sync.name} cannot be backfilled: its sources show only the present, not past days. ` +
        `Load what they show now with: npx durasync ${instead}`,
    );
  }
  const parsed = inputSchema.safeParse(input);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new SyncFailure('InvalidInput', `The input of the backfill is not valid. ${wrong.join('; ')}`);
  }
  checkRequest(sync, settings, { from: parsed.data.from, to: parsed.data.to, trigger: 'backfill' });
}
