import { requireSync, UsageError } from '../context.ts';

/** Refuses syncs without windows and says why. */
export async function backfill(name: string): Promise<number> {
  if (requireSync(name).windows === 'days') {
    throw new UsageError(
      `${name} has no backfill of many windows yet. Load one with: npx durasync run ${name} --from D --to D`,
    );
  }
  throw new UsageError(
    `${name} cannot be backfilled: its sources show only the present, not past days. ` +
      `Load what they show now with: npx durasync run ${name}`,
  );
}
