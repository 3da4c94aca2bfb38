import { z } from '@hono/zod-openapi';

const count = () => z.number().int().min(0);

export const uploadKindSchema = z
  .object({
    kind: z.string(),
    sync: z.string(),
    tables: z.array(z.string()),
    max_bytes: count(),
  })
  .openapi('UploadKind');

const cellSchema = z.object({
  column: z.string().nullable().openapi({ description: 'As the file calls it; null for the whole row.' }),
  value: z.string().nullable(),
  problem: z.string(),
  remedy: z.string(),
});

const errorSchema = z.object({
  table: z.string(),
  sheet: z.string().nullable(),
  row: z.number().int().openapi({ description: '1-based line of a text file, or row of a sheet.' }),
  reasons: z.array(z.string()).readonly(),
  cells: z.array(cellSchema).readonly(),
});

const checkedFields = z.object({
  kind: z.string(),
  file: z.string(),
  rows: count(),
  bad_rows: count(),
  tables: z.array(z.object({ table: z.string(), rows: count(), bad_rows: count() })),
  errors: z.array(errorSchema).openapi({ description: 'The first of the rows that cannot be taken.' }),
});

export const previewSchema = checkedFields
  .extend({ upload_id: z.string().openapi({ description: 'Loads the file as it was shown, for a week.' }) })
  .openapi('UploadPreview');

export const startedImportSchema = checkedFields
  .extend({ run_id: z.string(), workflow_id: z.string(), started: z.boolean() })
  .openapi('StartedImport');

const text = (max: number) => z.string().trim().min(1).max(max).optional();
const file = () =>
  z
    .custom<File>((value) => value instanceof File, { message: 'must be a file' })
    .openapi({ type: 'string', format: 'binary' });

export const previewForm = z.strictObject({
  file: file(),
  store: text(200).openapi({ description: 'The store of rows that name none.' }),
});

export const loadForm = z
  .strictObject({
    file: file().optional(),
    upload_id: text(100).openapi({ description: 'Of a preview, instead of the file.' }),
    store: text(200).openapi({ description: 'The store of rows that name none.' }),
    strict: z
      .stringbool({ message: 'must be true or false' })
      .default(false)
      .openapi({ type: 'boolean', description: 'Load nothing when any row cannot be taken.' }),
  })
  .refine((form) => (form.file === undefined) !== (form.upload_id === undefined), {
    message: 'Send either a file or the upload_id of a preview.',
  });
