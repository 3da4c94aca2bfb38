export { decideHold } from './decide-hold.ts';
export { runSync } from './run-sync.ts';
export { sweepRuns } from './sweep-runs.ts';
