import { userInfo } from 'node:os';
import { config as readDotenv } from 'dotenv';
import { type Config, readConfig } from '../config.ts';
import { type Home, openHome } from '../home/home.ts';
import { attach, type Session } from '../installation/session.ts';
import { ConfigurationError, type Environment, readSettings } from '../settings.ts';
import type { SyncDefinition } from '../syncs/define-sync.ts';
import { syncs } from '../syncs/index.ts';

export { EXIT } from './exit-codes.ts';

/** Wrong use of a command: shown without a stack, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What every command begins with. */
export interface CommandContext {
  readonly env: Environment;
  readonly config: Config;
  readonly home: Home;
}

/**
 * Reads `.env` and the environment and opens the home.
 *
 * @throws ConfigurationError, HomeError
 */
export async function commandContext(): Promise<CommandContext> {
  readDotenv({ quiet: true });
  const env: Environment = process.env;
  const config = readConfig(env);
  for (const sync of syncs) readSettings(sync.settings, env);
  refuseUnknown(config.NOTIFY_COMPLETED);
  return { env, config, home: await openHome(config.DURASYNC_HOME) };
}

function refuseUnknown(told: readonly string[]): void {
  const names = ['all', ...syncs.map(({ name }) => name)];
  const unknown = told.filter((name) => !names.includes(name));
  if (unknown.length === 0) return;
  throw new ConfigurationError(
    `NOTIFY_COMPLETED names ${unknown.join(', ')}, which is no sync. Known: ${names.join(', ')}.`,
  );
}

/** @throws UsageError naming the syncs that exist, before anything is started for one that does not */
export function requireSync(name: string): SyncDefinition {
  const sync = syncs.find((each) => each.name === name);
  if (sync) return sync;
  throw new UsageError(`There is no sync '${name}'. Known: ${syncs.map((each) => each.name).join(', ')}.`);
}

/** Runs a command's work with connections to what runs, and closes them. */
export async function withSession<T>(
  work: (session: Session, context: CommandContext) => Promise<T>,
): Promise<T> {
  const context = await commandContext();
  const session = await attach(context.config, context.home, context.env);
  try {
    return await work(session, context);
  } finally {
    await session.close();
  }
}

/** The person behind a command, for the audit log. */
export const actor = (): string =>
  `cli:${process.env['USER'] ?? process.env['LOGNAME'] ?? userInfo().username}`;
