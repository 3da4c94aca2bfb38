import { join } from 'node:path';
import { z } from 'zod';
import { httpUrl, timeZone, wholeNumber } from '../../settings.ts';

/** The variables that say where backups go and how long things are kept. */
export const backupSettings = z.object({
  DURASYNC_HOME: z.string().default('.durasync'),
  BACKUP_DIR: z.string().optional(),
  BACKUP_TIMEZONE: timeZone('UTC'),
  BACKUP_RETENTION_DAYS: wholeNumber(1, 36_500, 30),
  RETENTION_DAYS: wholeNumber(1, 36_500, 30),
  RETENTION_HISTORY_DAYS: wholeNumber(1, 36_500, 365),
  AWS_S3_BACKUP_BUCKET: z
    .string()
    .regex(/^[A-Za-z0-9._-]{3,255}$/, {
      message: 'must be the name of a bucket alone, without s3:// or a path',
    })
    .optional(),
  AWS_S3_BACKUP_PREFIX: z
    .string()
    .transform((value) => value.replace(/^\/+|\/+$/g, ''))
    .default('backups'),
  AWS_ENDPOINT_URL: httpUrl(),
  AWS_REGION: z.string().optional(),
  AWS_ACCESS_KEY_ID: z.string().optional(),
  AWS_SECRET_ACCESS_KEY: z.string().optional(),
  AWS_SESSION_TOKEN: z.string().optional(),
});

export type BackupSettings = Readonly<z.infer<typeof backupSettings>>;

/** The folder of local backups. */
export const backupFolder = ({ BACKUP_DIR, DURASYNC_HOME }: BackupSettings): string =>
  BACKUP_DIR ?? join(DURASYNC_HOME, 'backups');
