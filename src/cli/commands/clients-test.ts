import colors from 'picocolors';
import { createLwaTokenCache } from '../../connectors/amazon/lwa-token-cache.ts';
import { createAgent } from '../../connectors/http/create-agent.ts';
import { findClient } from '../../db/client-list.ts';
import { connectDatabase } from '../../db/connect.ts';
import { SyncFailure } from '../../domain/failures.ts';
import { UnknownClientError } from '../../installation/client-changes.ts';
import { requireTargets } from '../../installation/session.ts';
import { readSettings } from '../../settings.ts';
import { createOpenShop } from '../../syncs/commerce/open-shop.ts';
import { defineCommerce } from '../../syncs/commerce/index.ts';
import { commandContext, EXIT } from '../context.ts';
import { printJson, printLine } from '../output.ts';

const TEST_MS = 60_000;

/** Asks every shop of a client whether it lets us in; needs the database but not Temporal. Changes nothing. */
export async function test(id: string, options: { readonly json?: true }): Promise<number> {
  const { config, home, env } = await commandContext();
  const targets = await requireTargets(config, home, env);
  const settings = readSettings(defineCommerce().settings, targets.env);
  const { databaseUrl, keys } = targets;
  const database = connectDatabase({ databaseUrl, applicationName: 'durasync command' });
  const http = createAgent();
  const openShop = createOpenShop(createLwaTokenCache());
  const askShop = async (scope: string) => {
    try {
      const { shop } = await openShop({ database, keys, http, settings, scope });
      const { name } = await shop.testConnection(AbortSignal.timeout(TEST_MS));
      return { success: true, shop: name, error: null };
    } catch (error) {
      return { success: false, shop: null, error: messageOf(error) };
    }
  };
  try {
    const client = await findClient(database.db, id);
    if (!client) throw new UnknownClientError(id);
    const tested = await Promise.all(
      client.connections.map(async ({ credential_id, platform_type, connection_name }) => ({
        credential_id,
        platform_type,
        connection_name,
        ...(await askShop(credential_id)),
      })),
    );
    if (options.json) printJson({ client_id: id, connections: tested });
    else if (tested.length === 0)
      printLine(`${id} has no connection. Add one with: npx durasync clients add`);
    for (const { platform_type, connection_name, success, shop, error } of options.json ? [] : tested) {
      const mark = success ? colors.green('✔') : colors.red('✘');
      printLine(`${mark} ${platform_type} ${connection_name}: ${success ? `lets us in, as ${shop}` : error}`);
    }
    return tested.every(({ success }) => success) ? EXIT.ok : EXIT.failed;
  } finally {
    await database.close();
    await http.close();
  }
}

/** Only the messages of expected failures are known to hold no secret. */
function messageOf(error: unknown): string {
  if (error instanceof SyncFailure) return error.message;
  if (error instanceof Error && error.name === 'TimeoutError') {
    return `the shop did not answer within ${TEST_MS / 1000} s`;
  }
  throw error;
}
