/** What the API shows of an undo before it is done. */
import { z } from '@hono/zod-openapi';

const rows = (description: string) => z.number().int().min(0).openapi({ description });

export const undoOfferSchema = z
  .object({
    run_id: z.string(),
    sync: z.string(),
    refusal: z.string().nullable().openapi({ description: 'Why it cannot be undone; null when it can.' }),
    tables: z
      .array(
        z.object({
          table: z.string(),
          removed: rows('Rows that the run inserted, which go.'),
          put_back: rows('Rows that the run changed, which are again as they were.'),
          unarchived: rows('Rows that the run archived, which come back.'),
          archived_again: rows('Rows that the run brought back from the archive, which return there.'),
          gone: rows('Rows that the run inserted and that are gone already.'),
        }),
      )
      .readonly(),
    conflicts: z
      .array(z.object({ table: z.string(), key: z.record(z.string(), z.unknown()), reason: z.string() }))
      .readonly()
      .openapi({ description: 'The first of the rows that somebody has changed since.' }),
    conflict_count: z.number().int().min(0),
    watermarks: z
      .array(z.object({ name: z.string(), value: z.string().nullable() }))
      .readonly()
      .openapi({ description: 'Cursors that go back; null for the beginning.' }),
    schedules: z
      .array(z.string())
      .readonly()
      .openapi({ description: 'Their next run applies the source again.' }),
    client_id: z.string().nullable(),
  })
  .openapi('UndoPreview');
