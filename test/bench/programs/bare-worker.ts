import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { installRuntime } from '../../../src/temporal/worker.ts';

/** A worker for the bare workflows. Tells over HTTP how many activities it has done. */
const [address = '', namespace = '', taskQueue = ''] = process.argv.slice(2);
let done = 0;

installRuntime(pino({ level: 'silent' }));
const connection = await NativeConnection.connect({ address });
const worker = await Worker.create({
  connection,
  namespace,
  taskQueue,
  workflowsPath: fileURLToPath(new URL('bare-workflows.ts', import.meta.url)),
  activities: { nothing: async () => void (done += 1) },
});
const server = createServer((_request, response) => response.end(String(done)));
server.listen(0, '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
);
process.once('SIGTERM', () => worker.shutdown());
await worker.run();
server.close();
await connection.close();
