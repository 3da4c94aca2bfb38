import { config as readDotenv } from 'dotenv';
import { type Config, readConfig } from '../config.ts';
import { type Home, openHome } from '../home/home.ts';
import { attach, type Session } from '../installation/session.ts';
import type { Environment } from '../settings.ts';

/** The exit codes of every command. */
export const EXIT = { ok: 0, failed: 1, usage: 2, held: 3 } as const;

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
  return { env, config, home: await openHome(config.DURASYNC_HOME) };
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
export const actor = (): string => `cli:${process.env['USER'] ?? process.env['LOGNAME'] ?? 'unknown'}`;
