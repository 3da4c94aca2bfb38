import { requireSync, UsageError } from '../context.ts';

/** Refuses syncs without windows and says why. */
export async function backfill(name: string): Promise<number> {
  requireSync(name);
  throw new UsageError(
    `${name} cannot be backfilled: its sources show only the present, not past days. ` +
      `Load what they show now with: npx durasync run ${name}`,
  );
}
