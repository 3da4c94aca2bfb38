// Runs the workers that WORKER_TARGETS describes until it is killed or its parent has gone.
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { startWorkerHere, type WorkerTarget } from '../../support/fault-worker.ts';

Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
const targets = JSON.parse(process.env['WORKER_TARGETS'] ?? '[]') as WorkerTarget[];
await Promise.all(targets.map((target) => startWorkerHere(target)));
process.stdin.once('end', () => process.exit(1)).resume();
console.log('ready');
