import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import colors from 'picocolors';
import { type ClientRow, type ConnectionRow, findClient, listClients } from '../../db/client-list.ts';
import type { Platform } from '../../domain/clients.ts';
import { addClient, addConnection, checkConnection } from '../../installation/client-changes.ts';
import { readClient } from '../../installation/read-client.ts';
import { actor, UsageError, withSession } from '../context.ts';
import { count, printJson, printLine, renderTable } from '../output.ts';

interface AddOptions {
  readonly id: string;
  readonly name?: string;
  readonly platform: string;
  readonly connection: string;
  readonly credentialsFile: string;
  readonly every?: string;
  readonly json?: true;
}

const PAGE_CLIENTS = 500;

/** Adds a client with a connection, or replaces the connection's secrets. */
export async function add(options: AddOptions): Promise<void> {
  const connection = {
    clientId: options.id,
    platform: platformNamed(options.platform),
    connectionName: options.connection,
    credentials: await readCredentials(options.credentialsFile),
    frequencyHours: options.every === undefined ? undefined : hoursOf(options.every, '--every'),
  };
  checkConnection(connection);
  await withSession(async (session) => {
    const by = { actor: actor() };
    const { outcome } = await addClient(session, by, { clientId: options.id, name: options.name });
    const added = await addConnection(session, by, connection);
    const client = await findClient(session.database.db, options.id);
    if (options.json) return printJson(client);
    printLine(
      `${options.id}: ${outcome === 'added' ? 'added' : 'was there'}, with a connection to ${added.platform_type}. ` +
        `It syncs every ${added.sync_frequency_hours} h, first at ${minute(added.next_sync_at)} UTC.`,
    );
    printLine(`Its data: SELECT * FROM ${client?.view_name}`);
    printLine(`Try it:   npx durasync clients test ${options.id}`);
  });
}

/** @throws UsageError that repeats nothing of what was read */
async function readCredentials(file: string): Promise<unknown> {
  const content = file === '-' ? await text(process.stdin) : await readSecretFile(file);
  try {
    return JSON.parse(content);
  } catch {
    // The parser's own message would show a piece of the secrets.
    throw new UsageError(`The credentials in ${file === '-' ? 'standard input' : file} are not JSON.`);
  }
}

const readSecretFile = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`The credentials file ${file} can't be read (${error.code ?? error.message}).`);
  });

/** @throws UsageError */
export function platformNamed(name: string): Platform {
  if (name === 'shopify' || name === 'amazon') return name;
  throw new UsageError(`--platform must be shopify or amazon, not '${name}'.`);
}

/** @throws UsageError */
export function hoursOf(given: string, what: string): number {
  const hours = Number(given);
  if (given.trim() !== '' && Number.isFinite(hours)) return hours;
  throw new UsageError(`${what} must be a number of hours, such as 24 or 0.5, not '${given}'.`);
}

/** Every client with its connections. */
export async function list(options: { readonly json?: true }): Promise<void> {
  await withSession(async ({ database }) => {
    const clients: ClientRow[] = [];
    for (let after: string | undefined = ''; after !== undefined;) {
      const page = await listClients(database.db, { after, limit: PAGE_CLIENTS });
      clients.push(...page);
      after = page.length < PAGE_CLIENTS ? undefined : page.at(-1)?.client_id;
    }
    if (options.json) return printJson(clients);
    if (clients.length === 0)
      return printLine('No clients yet. Add one with: npx durasync clients add --help');
    printLine(renderClients(clients));
  });
}

/** A line for each connection. */
export function renderClients(clients: readonly ClientRow[]): string {
  const rows = clients.flatMap(({ client_id, name, active, connections }) => {
    if (!active) return [[client_id, name, '', '', colors.dim('removed'), '', '']];
    if (connections.length === 0) return [[client_id, name, '', '', 'no connection', '', '']];
    return connections.map((row) => [
      client_id,
      name,
      `${row.platform_type} ${row.connection_name}`,
      `${row.sync_frequency_hours} h`,
      stateOf(row),
      minute(row.last_sync_at),
      row.paused ? '' : minute(row.next_sync_at),
    ]);
  });
  return renderTable(['client', 'name', 'connection', 'every', 'status', 'last sync (UTC)', 'next'], rows, [
    'every',
  ]);
}

function stateOf({ status, paused, paused_reason }: ConnectionRow): string {
  if (paused) return colors.yellow(`paused: ${paused_reason}`);
  if (status === 'connected') return colors.green(status);
  return status === 'pending' ? status : colors.red(status);
}

const minute = (at: string | null): string => at?.slice(0, 16).replace('T', ' ') ?? '';

/** One client: its connections, what goes on, its records and its last runs. */
export async function show(id: string, options: { readonly json?: true }): Promise<void> {
  await withSession(async (session) => {
    const client = await readClient(session, id);
    const { records, results, workflow } = client;
    if (options.json) return printJson(client);
    printLine(renderClients([client]));
    for (const { platform_type, connection_name, error_message } of client.connections) {
      if (error_message) printLine(`${platform_type} ${connection_name}: ${error_message}`);
    }
    for (const { credential_id: credentialId, running, queued } of workflow ?? []) {
      if (running)
        printLine(`${credentialId}: running as ${running}${queued ? ', another run is queued' : ''}`);
    }
    printLine();
    const held = records.map((row) => [row.platform, row.data_type, count(row.records)]);
    printLine(renderTable(['platform', 'data', 'records'], held, ['records']));
    printLine();
    const runs = results.map((row) => [
      row.run_id,
      `${row.platform_type} ${row.connection_name}`,
      row.success ? colors.green('ok') : colors.red('failed'),
      minute(row.started_at),
      `${row.sync_duration_seconds.toFixed(1)} s`,
      count(row.records_stored),
      row.sync_triggered_by,
      row.error_message?.split('\n')[0] ?? '',
    ]);
    const head = ['run', 'connection', 'result', 'started (UTC)', 'took', 'stored', 'triggered by', 'error'];
    printLine(renderTable(head, runs, ['took', 'stored']));
    printLine(`Its data: SELECT * FROM ${client.view_name}`);
  });
}
