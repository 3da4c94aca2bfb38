import { z } from 'zod';
import { backupSettings } from './connectors/backups/backup-settings.ts';
import { missingForEmail, notifySettings } from './notify/settings.ts';
import { createKeyRing } from './key-ring.ts';
import { type Environment, readSettings, ConfigurationError, wholeNumber, yesOrNo } from './settings.ts';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

const port = () =>
  z
    .string()
    .regex(/^\d+$/, { message: 'must be a port from 1 to 65535' })
    .transform(Number)
    .refine((value) => value >= 1 && value <= 65_535, { message: 'must be a port from 1 to 65535' })
    .optional();

export const configSchema = z.object({
  DATABASE_URL: z
    .string()
    .refine((value) => /^postgres(ql)?:\/\//.test(value), {
      message: 'must begin with postgres:// or postgresql://',
    })
    .optional(),
  TEMPORAL_ADDRESS: z
    .string()
    .regex(/^[^\s/]+:\d+$/, { message: 'must be host:port, such as localhost:7233' })
    .optional(),
  TEMPORAL_NAMESPACE: z.string().default('default'),
  TEMPORAL_API_KEY: z.string().optional(),
  TEMPORAL_TLS_CERT: z.string().optional(),
  TEMPORAL_TLS_KEY: z.string().optional(),
  TEMPORAL_TLS_CA: z.string().optional(),
  TEMPORAL_TLS_SERVER_NAME: z.string().optional(),
  TEMPORAL_UI_URL: z.string().optional(),
  ...backupSettings.shape,
  DURASYNC_HOST: z.string().default('127.0.0.1'),
  DURASYNC_PORT: port(),
  DURASYNC_PG_PORT: port(),
  DURASYNC_TEMPORAL_PORT: port(),
  DURASYNC_TEMPORAL_UI_PORT: port(),
  DURASYNC_SECRET_KEYS: z.string().optional(),
  DURASYNC_ENCRYPT_PAYLOADS: yesOrNo(false),
  DURASYNC_ALLOW_PRIVATE_REDIRECTS: yesOrNo(false),
  DURASYNC_BUILD_ID: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,128}$/, {
      message: 'must be 1 to 128 letters, digits, dots, dashes and underscores',
    })
    .optional(),
  DURASYNC_ADMIN_TOKEN: z.string().min(16, { message: 'must have at least 16 characters' }).optional(),
  DURASYNC_DEMO: z.enum(['auto', 'off'], { message: "must be 'auto' or 'off'" }).default('auto'),
  DURASYNC_IMPORT_DIR: z.string().optional(),
  DURASYNC_HOLD_HOURS: wholeNumber(1, 8_760, 24),
  DURASYNC_METRICS_PUBLIC: yesOrNo(false),
  ...notifySettings.shape,
  DURASYNC_WORKER_METRICS_PORT: port(),
  LOG_FORMAT: z
    .enum(['auto', 'json', 'pretty'], { message: "must be 'auto', 'json' or 'pretty'" })
    .default('auto'),
  LOG_LEVEL: z.enum(LOG_LEVELS, { message: `must be one of ${LOG_LEVELS.join(', ')}` }).default('info'),
});

/** Durasync's own settings, by the names of their environment variables. Each sync has more of its own. */
export type Config = Readonly<z.infer<typeof configSchema>>;

/**
 * Reads Durasync's own environment variables.
 *
 * @throws ConfigurationError naming each wrong variable and why it is wrong
 */
export function readConfig(env: Environment): Config {
  const config = readSettings(configSchema, env);
  if (config.DURASYNC_SECRET_KEYS !== undefined) createKeyRing(config.DURASYNC_SECRET_KEYS);
  if (config.DATABASE_URL !== undefined && config.DURASYNC_SECRET_KEYS === undefined) {
    throw new ConfigurationError(
      'DURASYNC_SECRET_KEYS is not set, but DATABASE_URL is: every process that shares the database needs the same ' +
        'keys. Make one with: echo "k1:$(openssl rand -base64 32)"',
    );
  }
  const missing = missingForEmail(config);
  if (missing !== undefined) throw new ConfigurationError(missing);
  return config;
}
