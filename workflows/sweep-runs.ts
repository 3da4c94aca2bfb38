import { quick } from './activities.ts';

/** Ends the rows of runs whose workflow is gone. Started with each worker, and every hour. */
export async function sweepRuns(): Promise<number> {
  return quick.sweepRuns();
}
