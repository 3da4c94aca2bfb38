import { createRoute, z } from '@hono/zod-openapi';
import { createMiddleware } from 'hono/factory';
import { audit } from '../../db/audit.ts';
import { readRunResult } from '../../db/run-result.ts';
import { findUpload, storeUpload } from '../../db/uploads.ts';
import { SyncFailure } from '../../domain/failures.ts';
import { startKeptImport } from '../../installation/import-upload.ts';
import { readSettings } from '../../settings.ts';
import {
  type CheckedUpload,
  checkUpload,
  findUploadKind,
  listUploadKinds,
  prepareUpload,
  type UploadKind,
} from '../../syncs/check-upload.ts';
import { dayIn } from '../../syncs/days.ts';
import type { Upload } from '../../syncs/define-sync.ts';
import { type Api, type ApiEnv, json, newRouter } from '../api.ts';
import { needs } from '../authenticate.ts';
import { waitQuery } from '../parameters.ts';
import { COMMON_PROBLEMS, problem, ProblemError } from '../problems.ts';
import { runResultSchema } from '../run-schemas.ts';
import {
  loadForm,
  previewForm,
  previewSchema,
  startedImportSchema,
  uploadKindSchema,
} from '../upload-schemas.ts';
import { waitForWorkflow } from '../wait-for-workflow.ts';

/** The largest file, and what a form adds to it. */
export const UPLOAD_MAX_BYTES = 50 * 1024 * 1024;
const WAIT_MS = 3_600_000;
const TEMPORAL_ANSWER_MS = 8_000;
const NAME_LENGTH_MAX = 200;

const params = z.object({ kind: z.string() });
const PROBLEMS = {
  ...COMMON_PROBLEMS,
  404: problem('There is no such kind of file, or no such preview; the detail lists the kinds.'),
  413: problem('The file is too large.'),
  415: problem('The body is no multipart form.'),
  422: problem(
    'The file cannot be used as a whole, or has bad rows and was to be strict; the detail says why.',
  ),
};

/** A form is told from other bodies before anything reads it. */
const formOnly = createMiddleware<ApiEnv>(async (c, next) => {
  if (!/^multipart\/form-data\s*;/i.test(c.req.header('content-type') ?? '')) {
    throw new ProblemError('wrong-media-type', 'Send a multipart/form-data body with the file as "file".');
  }
  await next();
});

const about = (summary: string) => {
  const { middleware, ...needed } = needs('operator');
  return {
    method: 'post' as const,
    tags: ['uploads'],
    summary,
    ...needed,
    middleware: [middleware, formOnly],
  };
};

const form = <Schema extends z.ZodType>(schema: Schema) => ({
  content: { 'multipart/form-data': { schema } },
  required: true,
});

const list = createRoute({
  method: 'get',
  path: '/api/uploads',
  tags: ['uploads'],
  summary: 'The kinds of files that can be uploaded',
  ...needs('viewer'),
  responses: { 200: json(z.array(uploadKindSchema), 'The kinds.'), ...COMMON_PROBLEMS },
});

const preview = createRoute({
  ...about('Check a file and keep it for a later load; changes no table'),
  path: '/api/uploads/{kind}/preview',
  request: { params, body: form(previewForm) },
  responses: { 200: json(previewSchema, 'What is in the file, and which rows are wrong.'), ...PROBLEMS },
});

const load = createRoute({
  ...about('Load a file, or one that was previewed'),
  path: '/api/uploads/{kind}',
  request: { params, query: waitQuery, body: form(loadForm) },
  responses: {
    200: json(runResultSchema, 'The result, for who waits.'),
    202: json(startedImportSchema, 'The import is under way; bad rows go to quarantine.'),
    ...PROBLEMS,
  },
});

/** Files that people upload. */
export function uploadRoutes({ session }: Api) {
  const { client, database, syncs, targets } = session;

  const kindOf = (name: string): UploadKind => {
    try {
      return findUploadKind(syncs, name);
    } catch (error) {
      throw error instanceof SyncFailure ? new ProblemError('not-found', error.message) : error;
    }
  };

  const check = ({ sync }: UploadKind): string =>
    dayIn(sync.timeZone(readSettings(sync.settings, targets.env)), new Date());

  async function read(kind: UploadKind, file: File, store: string | undefined) {
    const maxBytes = Math.min(kind.maxBytes, UPLOAD_MAX_BYTES);
    if (file.size > maxBytes) throw tooLarge(maxBytes);
    const given: Upload = {
      fileName: safeName(file.name),
      options: store === undefined ? {} : { store },
      read: () => bytesOf(file),
    };
    return usable(async () => {
      const upload = await prepareUpload(kind, given);
      return { upload, checked: await checkUpload(kind, upload, check(kind)) };
    });
  }

  async function keep(kind: UploadKind, upload: Upload, by: { actor: string; tokenId: string }) {
    const uploadId = await storeUpload(database, upload, { kind: kind.kind, uploadedBy: by.actor });
    await audit(database.db, {
      actor: by.actor,
      action: 'upload',
      subject: `upload/${uploadId}`,
      detail: { kind: kind.kind, file: upload.fileName, tokenId: by.tokenId },
    });
    return uploadId;
  }

  /** The file of a request, kept; one that was previewed is there already. */
  async function take(
    kind: UploadKind,
    sent: z.infer<typeof loadForm>,
    by: { actor: string; tokenId: string },
  ) {
    if (sent.file !== undefined) {
      const { upload, checked } = await read(kind, sent.file, sent.store);
      if (sent.strict) refuseBadRows(checked);
      return { upload, checked, uploadId: await keep(kind, upload, by) };
    }
    const uploadId = sent.upload_id ?? '';
    const upload = await findUpload(database, uploadId, kind.kind);
    if (!upload) {
      throw new ProblemError(
        'not-found',
        `There is no file ${uploadId} of this kind, or no longer. Upload it again.`,
      );
    }
    const checked = await usable(() => checkUpload(kind, upload, check(kind)));
    if (sent.strict) refuseBadRows(checked);
    return { upload, checked, uploadId };
  }

  return newRouter()
    .openapi(list, (c) =>
      c.json(
        listUploadKinds(syncs).map(({ kind, sync, parts, maxBytes }) => ({
          kind,
          sync: sync.name,
          tables: parts.map(({ table }) => table.name),
          max_bytes: Math.min(maxBytes, UPLOAD_MAX_BYTES),
        })),
        200,
      ),
    )
    .openapi(preview, async (c) => {
      const kind = kindOf(c.req.valid('param').kind);
      const { file, store } = c.req.valid('form');
      const { upload, checked } = await read(kind, file, store);
      const uploadId = await keep(kind, upload, c.get('principal'));
      return c.json({ upload_id: uploadId, ...shown(kind, upload, checked) }, 200);
    })
    .openapi(load, async (c) => {
      const kind = kindOf(c.req.valid('param').kind);
      const principal = c.get('principal');
      const { upload, checked, uploadId } = await take(kind, c.req.valid('form'), principal);
      const file = { kind, uploadId, fileName: upload.fileName };
      // The upload may have taken longer than Temporal is given to answer.
      const { runId, workflowId, started } = await client.withDeadline(Date.now() + TEMPORAL_ANSWER_MS, () =>
        startKeptImport(session, file, principal),
      );
      const run = { run_id: runId, workflow_id: workflowId, started, ...shown(kind, upload, checked) };
      if (!c.req.valid('query').wait) return c.json(run, 202);
      const result = () => client.workflow.getHandle(workflowId, runId).result();
      const waited = await waitForWorkflow({ client, result, signal: c.req.raw.signal, timeoutMs: WAIT_MS });
      if (waited.outcome === 'still-running') return c.json(run, 202);
      const ended = await readRunResult(database.db, runId);
      if (ended) return c.json(ended, 200);
      throw new ProblemError('run-failed', `The import of ${upload.fileName} failed before it began.`);
    });
}

const shown = (kind: UploadKind, upload: Upload, { rows, badRows, tables, errors }: CheckedUpload) => ({
  kind: kind.kind,
  file: upload.fileName,
  rows,
  bad_rows: badRows,
  tables: tables.map((table) => ({ table: table.table, rows: table.rows, bad_rows: table.badRows })),
  errors: [...errors],
});

/** @throws ProblemError unusable-file for what is wrong with the file as a whole */
async function usable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (
      error instanceof SyncFailure &&
      ['FileUnreadable', 'MissingColumn', 'InvalidInput'].includes(error.code)
    ) {
      throw new ProblemError('unusable-file', error.message);
    }
    throw error;
  }
}

function refuseBadRows({ badRows, rows, errors }: CheckedUpload): void {
  if (badRows === 0) return;
  throw new ProblemError(
    'unusable-file',
    `${badRows} of ${rows} rows can't be taken, so nothing was loaded.`,
    {
      rows: errors,
    },
  );
}

export const tooLarge = (maxBytes: number): ProblemError =>
  new ProblemError(
    'too-large',
    `The file is too large: an upload takes at most ${Math.floor(maxBytes / 1024 / 1024)} MB. Split it.`,
  );

/** Only for people to read: without a folder or characters that are not to be seen, and cut. */
const safeName = (name: string): string =>
  (name.split(/[/\\]/).at(-1) ?? '').replace(/\p{C}/gu, '').slice(0, NAME_LENGTH_MAX) || 'upload';

async function* bytesOf(file: File): AsyncGenerator<Buffer> {
  for await (const piece of file.stream() as unknown as AsyncIterable<Uint8Array>) yield Buffer.from(piece);
}
