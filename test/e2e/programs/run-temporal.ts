// Runs an embedded Temporal server until it is killed; prints the server's pid and address.
import { startEmbeddedTemporal } from '../../../src/temporal/embedded-server.ts';

const [cliPath = '', dataDir = '', logFile = ''] = process.argv.slice(2);
const port = { use: 'Temporal', preferred: 27_000, fixedBy: null };
const namespaces = ['default', 'demo'];
const server = await startEmbeddedTemporal({
  cliPath,
  dataDir,
  logFile,
  state: 'kept',
  port,
  uiPort: port,
  namespaces,
});
console.log(JSON.stringify({ pid: server.pid, address: server.address }));
await server.exited;
