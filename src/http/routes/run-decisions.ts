import { createRoute, z } from '@hono/zod-openapi';
import { audit } from '../../db/audit.ts';
import { readRunResult } from '../../db/run-result.ts';
import type { RunStatus } from '../../domain/run-result.ts';
import { cancelRun, decideRun, decisionDone } from '../../temporal/runs.ts';
import { type Api, json, newRouter, optionalBody } from '../api.ts';
import { needs, type Principal } from '../authenticate.ts';
import { findRun, type FoundRun } from '../find-run.ts';
import { reasonBody, waitQuery } from '../parameters.ts';
import { COMMON_PROBLEMS, problem, ProblemError } from '../problems.ts';
import { runResultSchema } from '../run-schemas.ts';
import { waitForWorkflow } from '../wait-for-workflow.ts';

const WAIT_MS = 3_600_000;

type Verb = 'approve' | 'reject' | 'cancel';

const acceptedSchema = z
  .object({ run_id: z.string(), accepted: z.enum(['approve', 'reject', 'cancel']) })
  .openapi('AcceptedDecision');

const about = <V extends Verb>(verb: V, summary: string) => ({
  method: 'post' as const,
  path: `/api/runs/{id}/${verb}` as const,
  tags: ['runs'],
  summary,
  ...needs('operator'),
});

const params = z.object({ id: z.string() });
const body = optionalBody(reasonBody);
const PROBLEMS = {
  ...COMMON_PROBLEMS,
  404: problem('There is no such run.'),
  409: problem('The run is not in a state for this.'),
};

const decideRoute = <V extends 'approve' | 'reject'>(verb: V) =>
  createRoute({
    ...about(verb, `${verb === 'approve' ? 'Approve' : 'Reject'} a held run`),
    request: { params, query: waitQuery, body },
    responses: {
      200: json(runResultSchema, 'The result, for who waits.'),
      202: json(acceptedSchema, 'The decision is recorded and is being carried out.'),
      ...PROBLEMS,
    },
  });

const cancel = createRoute({
  ...about('cancel', 'Stop a run after the step it is in'),
  request: { params, body },
  responses: { 202: json(acceptedSchema, 'The run has been asked to stop.'), ...PROBLEMS },
});

interface DecideRequest {
  readonly verb: 'approve' | 'reject';
  readonly id: string;
  readonly reason: string | undefined;
  readonly wait: boolean;
  readonly principal: Principal;
  readonly signal: AbortSignal;
}

/** Deciding about runs. */
export function runDecisionRoutes(api: Api) {
  const { client, database } = api.session;

  async function decide({ verb, id, reason, wait, principal, signal }: DecideRequest) {
    const run = await findRun(api, id);
    mustBe('held', run, verb);
    const { runId } = run;
    await decideRun(client, runId, { decision: verb, by: principal.actor, reason });
    await record(verb, runId, reason, principal);
    if (!wait) return undefined;
    const result = () => decisionDone(client, runId);
    const waited = await waitForWorkflow({ client, result, signal, timeoutMs: WAIT_MS });
    return waited.outcome === 'still-running' ? undefined : readRunResult(database.db, runId);
  }

  const record = (action: Verb, subject: string, reason: string | undefined, by: Principal) =>
    audit(database.db, { actor: by.actor, action, subject, detail: { reason, tokenId: by.tokenId } });

  const router = newRouter().openapi(cancel, async (c) => {
    const run = await findRun(api, c.req.valid('param').id);
    mustBe('running', run, 'cancel');
    // First, so that the end of the run is not put down to nobody.
    await record('cancel', run.runId, c.req.valid('json').reason, c.get('principal'));
    await cancelRun(client, run.workflowId, run.runId);
    return c.json({ run_id: run.runId, accepted: 'cancel' as const }, 202);
  });
  for (const verb of ['approve', 'reject'] as const) {
    router.openapi(decideRoute(verb), async (c) => {
      const { id } = c.req.valid('param');
      const request = { ...c.req.valid('json'), ...c.req.valid('query'), verb, id };
      const principal = c.get('principal');
      const result = await decide({ reason: undefined, ...request, principal, signal: c.req.raw.signal });
      return result ? c.json(result, 200) : c.json({ run_id: id, accepted: verb }, 202);
    });
  }
  return router;
}

/** @throws ProblemError not-held, not-running */
function mustBe(wanted: RunStatus & ('held' | 'running'), { runId, result }: FoundRun, verb: Verb): void {
  if (result.status === wanted) return;
  throw new ProblemError(
    wanted === 'held' ? 'not-held' : 'not-running',
    `Run ${runId} is ${result.status}; only a run that is ${wanted} takes ${verb}.`,
    { run_id: runId, run_status: result.status },
  );
}
