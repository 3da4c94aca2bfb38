import { z } from 'zod';
import { SyncFailure } from '../../domain/failures.ts';
import type { KeyRing } from '../../key-ring.ts';

const PURPOSE = 'durasync backup manifest';
const FORMAT = 1;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().nonnegative();

const tableSchema = z.object({
  schema: z.string(),
  name: z.string(),
  columns: z.array(z.object({ name: z.string(), type: z.string() })).readonly(),
  rows: count,
  /** Inside the backup, gzip of what `COPY … TO STDOUT (FORMAT binary)` wrote. */
  file: z.string().regex(/^tables\/[^/]+$/),
  bytes: count,
  sha256,
  /** Of the file's content, which loading the rows and copying them out again reproduces. */
  content_sha256: sha256,
});

const manifestSchema = z.object({
  format: z.literal(FORMAT),
  name: z.string(),
  /** When the snapshot was taken. */
  created_at: z.iso.datetime(),
  durasync_version: z.string(),
  database: z.string(),
  postgres_major: count,
  /** The last migration, and all of them. */
  schema_version: z.string(),
  migrations: z.array(z.string()).readonly(),
  /** Keys without which secrets inside can't be opened, or this manifest can't be checked. */
  key_ids: z.array(z.string()).readonly(),
  rows: count,
  bytes: count,
  tables: z.array(tableSchema).readonly(),
  sequences: z
    .array(z.object({ schema: z.string(), name: z.string(), last_value: z.number().int().nullable() }))
    .readonly(),
  client_views: z.array(z.string()).readonly(),
});

export type BackupTable = Readonly<z.infer<typeof tableSchema>>;
/** Everything there is to know of a backup without its rows. It is written last: without one there is no backup. */
export type Manifest = Readonly<z.infer<typeof manifestSchema>>;

/** The text of a manifest with the mark that shows whether it was changed since. */
export function writeManifest(manifest: Omit<Manifest, 'format'>, keys: KeyRing): string {
  const fields = { format: FORMAT, ...manifest };
  const signature = keys.sign(JSON.stringify(fields), PURPOSE);
  return `${JSON.stringify({ ...fields, signature }, null, 1)}\n`;
}

/** The mark inside a manifest's text, which tells it from every other one. */
export const signatureOf = (text: string): string => text.slice(text.lastIndexOf('"signature"'));

/**
 * Reads a manifest that is exactly as it was written.
 *
 * @throws SyncFailure BackupUnusable when it was changed or is of another format, SealedSecretError when the key that
 * marked it is unknown
 */
export function readManifest(name: string, text: string, keys: KeyRing): Manifest {
  const { signature, ...fields } = parse(name, text);
  if (fields['format'] !== FORMAT) {
    throw unusable(
      name,
      `its format is ${JSON.stringify(fields['format'])}, and this release reads ${FORMAT}`,
    );
  }
  if (typeof signature !== 'string' || !keys.isSigned(JSON.stringify(fields), PURPOSE, signature)) {
    throw unusable(name, 'its manifest was changed after it was written');
  }
  const read = manifestSchema.safeParse(fields);
  if (!read.success) throw unusable(name, `its manifest is not valid: ${z.prettifyError(read.error)}`);
  if (read.data.name !== name) throw unusable(name, `its manifest is that of ${read.data.name}`);
  return read.data;
}

function parse(name: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch {
    // Said below.
  }
  throw unusable(name, 'its manifest is not JSON');
}

/** A backup that must not be trusted. */
export const unusable = (name: string, reason: string): SyncFailure =>
  new SyncFailure(
    'BackupUnusable',
    `The backup ${name} can't be used: ${reason}. Take another one, see: npx durasync backup list`,
  );
