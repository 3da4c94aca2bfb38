import { createRoute, z } from '@hono/zod-openapi';
import { readRunResult } from '../../db/run-result.ts';
import { readUndoOffer, requestUndo, type UndoOffer, UndoRefusedError } from '../../installation/undo-run.ts';
import { type Api, json, newRouter, optionalBody } from '../api.ts';
import { needs } from '../authenticate.ts';
import { findRun } from '../find-run.ts';
import { reasonBody, waitQuery } from '../parameters.ts';
import { COMMON_PROBLEMS, problem, ProblemError } from '../problems.ts';
import { runResultSchema, startedRunSchema } from '../run-schemas.ts';
import { undoOfferSchema } from '../undo-schemas.ts';
import { waitForWorkflow } from '../wait-for-workflow.ts';

const WAIT_MS = 3_600_000;

const params = z.object({ id: z.string() });
const about = { path: '/api/runs/{id}/undo' as const, tags: ['runs'] };
const NO_RUN = { 404: problem('There is no such run.') };

const preview = createRoute({
  ...about,
  method: 'get',
  summary: 'What undoing a run would do, or why it cannot be undone',
  ...needs('viewer'),
  request: { params },
  responses: { 200: json(undoOfferSchema, 'Nothing was changed.'), ...COMMON_PROBLEMS, ...NO_RUN },
});

const start = createRoute({
  ...about,
  method: 'post',
  summary: 'Take back what a run wrote',
  ...needs('operator'),
  request: {
    params,
    query: waitQuery,
    body: optionalBody(
      reasonBody.extend({
        pause_schedule: z.boolean().optional().openapi({
          description: 'Starts no further run of the sync, which would apply its source again.',
        }),
      }),
    ),
  },
  responses: {
    200: json(runResultSchema, 'The result of the undo, for who waits.'),
    202: json(startedRunSchema, 'The undo is under way.'),
    ...COMMON_PROBLEMS,
    ...NO_RUN,
    409: problem('It cannot be undone; `undo` says why and lists the rows that were changed since.'),
  },
});

/** Undoing runs. */
export function undoRoutes(api: Api) {
  const { session } = api;

  async function offerOf(id: string): Promise<UndoOffer> {
    const { runId } = await findRun(api, id);
    const offer = await readUndoOffer(session, runId);
    if (offer) return offer;
    throw new ProblemError('not-running', `Run ${runId} has not begun yet.`);
  }

  return newRouter()
    .openapi(preview, async (c) => c.json(await offerOf(c.req.valid('param').id), 200))
    .openapi(start, async (c) => {
      const { reason, pause_schedule: pause = false } = c.req.valid('json');
      const offer = await offerOf(c.req.valid('param').id);
      const started = await requestUndo(session, c.get('principal'), offer, { reason, pause }).catch(
        (error: unknown) => {
          if (!(error instanceof UndoRefusedError)) throw error;
          throw new ProblemError('not-undoable', error.message, { undo: error.offer });
        },
      );
      const run = { run_id: started.runId, workflow_id: started.workflowId, started: started.started };
      if (!c.req.valid('query').wait) return c.json(run, 202);
      const { client, database } = session;
      const waited = await waitForWorkflow({
        client,
        result: () => client.workflow.getHandle(started.workflowId, started.runId).result(),
        signal: c.req.raw.signal,
        timeoutMs: WAIT_MS,
      });
      if (waited.outcome === 'still-running') return c.json(run, 202);
      const result = await readRunResult(database.db, started.runId);
      if (result) return c.json(result, 200);
      throw new ProblemError('run-failed', `The undo of run ${offer.run_id} failed before it began.`);
    });
}
