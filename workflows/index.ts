export { deliverNotifications } from './deliver-notifications.ts';
export { analyseSkus } from './analyse-skus.ts';
export { decideHold } from './decide-hold.ts';
export { maintainBackup, maintainRetention } from './maintain.ts';
export { reconcileClients } from './reconcile-clients.ts';
export { runSync } from './run-sync.ts';
export { sweepRuns } from './sweep-runs.ts';
export { syncClient } from './sync-client.ts';
export { undoRun } from './undo-run.ts';
