import {
  type ClientResultRow,
  type ClientRow,
  countRecords,
  findClient,
  listClientResults,
  type RecordCount,
} from '../db/client-list.ts';
import { clientWorkflows } from '../temporal/clients.ts';
import { UnknownClientError } from './client-changes.ts';
import type { Session } from './session.ts';

/** What a connection is doing, by workflow id. */
interface ConnectionWork {
  readonly credential_id: string;
  readonly running: string | null;
  /** The request whose run comes next. */
  readonly queued: string | null;
}

/** Everything about one client that people look at. */
export interface ClientDetail extends ClientRow {
  readonly records: readonly RecordCount[];
  /** The last ten, newest first. */
  readonly results: readonly ClientResultRow[];
  /** Null when the client's workflow does not run, or no worker answers for it. */
  readonly workflow: readonly ConnectionWork[] | null;
}

const RESULTS = 10;
const STATUS_MS = 3_000;

/** @throws UnknownClientError; not for a client that was removed, as long as its data is there */
export async function readClient(session: Session, clientId: string): Promise<ClientDetail> {
  const { db } = session.database;
  const client = await findClient(db, clientId);
  if (!client) throw new UnknownClientError(clientId);
  const [records, results, workflow] = await Promise.all([
    countRecords(db, clientId),
    listClientResults(db, clientId, RESULTS),
    readWork(session, clientId),
  ]);
  return { ...client, records, results, workflow };
}

async function readWork({ client }: Session, clientId: string): Promise<ConnectionWork[] | null> {
  const query = () => clientWorkflows(client).status(clientId);
  const status = await client.withDeadline(Date.now() + STATUS_MS, query).catch(() => null);
  return (
    status?.credentials.map(({ credentialId, running, queued }) => ({
      credential_id: credentialId,
      running,
      queued,
    })) ?? null
  );
}
