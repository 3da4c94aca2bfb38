import { OpenAPIHono, type z } from '@hono/zod-openapi';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { ProcessMetrics } from '../metrics/process-metrics.ts';
import type { Session } from '../installation/session.ts';
import type { Settings, SyncDefinition } from '../syncs/define-sync.ts';
import type { Principal } from './authenticate.ts';
import { ProblemError } from './problems.ts';

/** A sync with its settings read. */
export interface ConfiguredSync {
  readonly definition: SyncDefinition;
  readonly settings: Settings;
  /** Why it is off; undefined for one that can run. */
  readonly off: string | undefined;
}

/** What every group of routes works with. */
export interface Api {
  readonly session: Session;
  readonly config: Config;
  readonly syncs: readonly ConfiguredSync[];
  readonly log: Logger | undefined;
  /** What this process sees of itself. */
  readonly metrics?: Pick<ProcessMetrics, 'text'>;
}

/** What middleware hands to the routes behind it. */
export interface ApiEnv {
  Variables: {
    principal: Principal;
    requestId: string;
    /** Counts a change of this token. Throws ProblemError rate-limited. */
    takeChange: (tokenId: string) => void;
  };
}

/** An empty group of routes. */
export const newRouter = () => new OpenAPIHono<ApiEnv>();

/** A JSON answer of a route. */
export const json = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

/** A JSON body that may be left away. */
export const optionalBody = <Schema extends z.ZodType>(schema: Schema) => ({
  content: { 'application/json': { schema } },
  required: false,
});

/** @throws ProblemError not-found */
export function findSync({ syncs }: Api, name: string): ConfiguredSync {
  const found = syncs.find(({ definition }) => definition.name === name);
  if (found) return found;
  const known = syncs.map(({ definition }) => definition.name).join(', ');
  throw new ProblemError('not-found', `There is no sync '${name}'. Known: ${known}.`);
}
