// Runs an embedded PostgreSQL until it is killed; prints the server's pid and address.
import { startEmbeddedPostgres } from '../../../src/db/embedded-postgres.ts';

const [dataDir = '', logFile = ''] = process.argv.slice(2);
const port = { use: 'PostgreSQL', preferred: 26_000, fixedBy: null };
const server = await startEmbeddedPostgres({ dataDir, logFile, port });
console.log(JSON.stringify({ pid: server.pid, url: server.databaseUrl('postgres') }));
await server.exited;
