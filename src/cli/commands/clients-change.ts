import type { ClientRow } from '../../db/client-list.ts';
import {
  pauseClient,
  removeClient,
  requireClient,
  resumeClient,
  setFrequency,
} from '../../installation/client-changes.ts';
import { purgeClient } from '../../installation/purge-client.ts';
import type { Session } from '../../installation/session.ts';
import { actor, UsageError, withSession } from '../context.ts';
import { count, printJson, printLine } from '../output.ts';
import { hoursOf, platformNamed, renderClients } from './clients.ts';

interface PauseOptions {
  readonly reason?: string;
  readonly json?: true;
}

interface FrequencyOptions {
  readonly platform?: string;
  readonly json?: true;
}

interface RemoveOptions {
  readonly purge?: true;
  readonly yes?: true;
  readonly json?: true;
}

/** Stops the syncs of a client until it is resumed. */
export const pause = (id: string, options: PauseOptions): Promise<void> =>
  change(options, (session) => pauseClient(session, { actor: actor() }, id, options.reason));

/** Lets a paused client sync again. */
export const resume = (id: string, options: { readonly json?: true }): Promise<void> =>
  change(options, (session) => resumeClient(session, { actor: actor() }, id));

/** Changes how often a client syncs. */
export async function changeFrequency(id: string, given: string, options: FrequencyOptions): Promise<void> {
  const hours = hoursOf(given, 'HOURS');
  const platform = options.platform === undefined ? undefined : platformNamed(options.platform);
  await change(options, (session) =>
    setFrequency(session, { actor: actor() }, { clientId: id, hours, platform }),
  );
}

/** Ends the syncs of a client and, asked twice, deletes its data. */
export async function remove(id: string, options: RemoveOptions): Promise<void> {
  if (options.purge && !options.yes) {
    throw new UsageError(`--purge deletes all data of ${id} for good. If that is wanted, add --yes.`);
  }
  const by = { actor: actor() };
  await withSession(async (session) => {
    if (!options.purge) {
      await removeClient(session, by, id);
      if (options.json) return printJson({ client_id: id, removed: true, purged: null });
      return printLine(
        `${id} is removed; its data stays. Delete that with: clients remove ${id} --purge --yes`,
      );
    }
    const purged = await purgeClient(session, by, id);
    if (options.json) return printJson({ client_id: id, removed: true, purged });
    const rows = Object.entries(purged).map(([what, number]) => `${count(number)} ${what.replace('_', ' ')}`);
    printLine(`${id} is removed with all its data: ${rows.join(', ')}`);
  });
}

async function change(
  options: { readonly json?: true },
  make: (session: Session) => Promise<ClientRow>,
): Promise<void> {
  await withSession(async (session) => {
    const { client_id: id } = await make(session);
    const client = await requireClient(session, id);
    if (options.json) printJson(client);
    else printLine(renderClients([client]));
  });
}
