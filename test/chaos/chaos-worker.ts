// One worker process of a campaign: works on the target of WORKER_TARGET until it is killed or its parent has gone.
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { cars } from '../../src/syncs/cars/index.ts';
import { defineCommerce } from '../../src/syncs/commerce/index.ts';
import { sales } from '../../src/syncs/sales/index.ts';
import { faultFleet } from '../support/fault-fleet.ts';
import { startWorkerHere, type WorkerTarget } from '../support/fault-worker.ts';
import { quickRentals } from '../support/quick-rentals.ts';

Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
const target = JSON.parse(process.env['WORKER_TARGET'] ?? '{}') as WorkerTarget;
await startWorkerHere(target, [faultFleet, quickRentals, cars, defineCommerce(), sales]);
process.stdin.once('end', () => process.exit(1)).resume();
console.log('ready');
