import { syncs } from '../../syncs/index.ts';
import { UsageError } from '../context.ts';

/** Refuses syncs without windows and says why. */
export async function backfill(name: string): Promise<number> {
  const sync = syncs.find((each) => each.name === name);
  if (!sync) {
    throw new UsageError(`There is no sync '${name}'. Known: ${syncs.map((each) => each.name).join(', ')}.`);
  }
  throw new UsageError(
    `${name} cannot be backfilled: its sources show only the present, not past days. ` +
      `Load what they show now with: npx durasync run ${name}`,
  );
}
