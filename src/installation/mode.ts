import type { Config } from '../config.ts';
import type { Environment } from '../settings.ts';
import type { SyncDefinition } from '../syncs/define-sync.ts';

export type Mode = 'demo' | 'real';

/** The database and the Temporal namespace of a mode: demo rows can never meet real ones. */
export const STORES: Readonly<Record<Mode, { readonly database: string; readonly namespace: string }>> = {
  demo: { database: 'durasync_demo', namespace: 'demo' },
  real: { database: 'durasync', namespace: 'default' },
};

/** Demo mode is on when nothing real is set: no source of any sync, no database, no Temporal. */
export function modeOf(config: Config, syncs: readonly SyncDefinition[], env: Environment): Mode {
  if (config.DURASYNC_DEMO === 'off') return 'real';
  return realSettings(config, syncs, env).length > 0 ? 'real' : 'demo';
}

/** The variables that end demo mode and are set. */
export function realSettings(config: Config, syncs: readonly SyncDefinition[], env: Environment): string[] {
  const sources = syncs.flatMap((sync) =>
    sync.tables.flatMap(({ source }) => ('fetchPages' in source ? [source.setting] : [])),
  );
  const set = [...new Set(sources)].filter((name) => env[name]?.trim());
  if (config.DATABASE_URL) set.push('DATABASE_URL');
  if (config.TEMPORAL_ADDRESS) set.push('TEMPORAL_ADDRESS');
  return set;
}
