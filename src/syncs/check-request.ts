import { z } from 'zod';
import type { RunSyncInput } from '../domain/contracts.ts';
import { SyncFailure } from '../domain/failures.ts';
import { readWindow } from './days.ts';
import { isUploaded, offReason, uploadOf } from './configured.ts';
import type { Settings, SyncDefinition } from './define-sync.ts';

/** Whether days make a window does not depend on the day. */
const ANY_DAY = '2000-01-01';

/** What may be asked of a run; it may come from the plain Temporal CLI, so nothing is taken for granted. */
const requestSchema = z.object({
  scope: z.string().optional(),
  kind: z.enum(['sync', 'plan', 'replay', 'import']).optional(),
  tables: z.array(z.string()).nonempty().optional(),
  full: z.boolean().optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  days: z.number().int().positive().optional(),
  uploadId: z.string().optional(),
  trigger: z.enum(['schedule', 'manual', 'signal', 'backfill', 'first_start', 'upload']).optional(),
  triggeredBy: z.string().optional(),
});

/**
 * Refuses a run that could not do what is asked of it.
 *
 * @throws SyncFailure SyncOff naming the variable that turns the sync on, or InvalidInput naming what is wrong
 */
export function checkRequest(
  sync: SyncDefinition,
  settings: Settings,
  request: Omit<RunSyncInput, 'sync'>,
): void {
  const parsed = requestSchema.safeParse(request);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new SyncFailure('InvalidInput', `The input of the run is not valid. ${wrong.join('; ')}`);
  }
  const { kind } = parsed.data;
  // Uploaded files and quarantined rows are here already: no source is read.
  const readsSource = kind !== 'import' && kind !== 'replay';
  const off = readsSource ? offReason(sync, settings) : undefined;
  if (off) throw new SyncFailure('SyncOff', off);
  const known = sync.tables.map(({ name }) => name);
  const unknown = parsed.data.tables?.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new SyncFailure(
      'InvalidInput',
      `${sync.name} has no table '${unknown}'. Known: ${known.join(', ')}.`,
    );
  }
  checkUploads(sync, parsed.data);
  checkScope(sync, parsed.data.scope);
  const { from, to, days } = parsed.data;
  if (sync.windows === 'none' && (from ?? to ?? days) !== undefined) {
    throw new SyncFailure(
      'InvalidInput',
      `${sync.name} has no windows of days: each run loads all its source shows now. Leave --from, --to and --days away.`,
    );
  }
  readWindow(parsed.data, ANY_DAY, sync.windows);
}

function checkUploads(
  sync: SyncDefinition,
  { kind, uploadId, tables = [] }: z.infer<typeof requestSchema>,
): void {
  const given = sync.tables.filter(({ name }) => tables.includes(name));
  if (kind === 'import') {
    if (uploadId !== undefined && given.length > 0 && given.every((table) => uploadOf(table))) return;
    throw new SyncFailure(
      'InvalidInput',
      'An import needs an uploaded file and the table it is for. Start it with: npx durasync import KIND FILE',
    );
  }
  const uploaded = given.filter(isUploaded).map(({ name }) => name);
  if (uploaded.length === 0 || kind === 'replay') return;
  throw new SyncFailure(
    'InvalidInput',
    `${uploaded.join(', ')} is fed by uploaded files. Load one with: npx durasync import KIND FILE`,
  );
}

function checkScope(sync: SyncDefinition, scope: string | undefined): void {
  if (!sync.scopeTables && scope) {
    throw new SyncFailure('InvalidInput', `${sync.name} is one whole: it has no scope '${scope}'.`);
  }
  if (sync.scopeTables && !scope) {
    throw new SyncFailure(
      'InvalidInput',
      `${sync.name} runs for one connection of one client at a time. Start it with: npx durasync clients sync ID`,
    );
  }
}
