/** What the API answers with: the server's own schemas, so that a field that changes there does not compile here. */
import type { z } from 'zod';
import type { OpenRun } from '../db/activity.ts';
import type {
  clientDetailSchema,
  clientSchema,
  connectionSchema,
  requestedSyncSchema,
} from '../http/client-schemas.ts';
import type { healthReportSchema } from '../http/health-schemas.ts';
import type { quarantinedRowSchema } from '../http/quarantine-schemas.ts';
import type { runDetailSchema, runSummarySchema, startedRunSchema } from '../http/run-schemas.ts';
import type { sessionSchema } from '../http/session-schemas.ts';
import type { scheduleSchema, syncSchema } from '../http/sync-schemas.ts';
import type { undoOfferSchema } from '../http/undo-schemas.ts';

export type { OpenRun };
export type Session = z.infer<typeof sessionSchema>;
export type Role = Session['role'];
export type Sync = z.infer<typeof syncSchema>;
export type Schedule = z.infer<typeof scheduleSchema>;
export type RunSummary = z.infer<typeof runSummarySchema>;
export type RunDetail = z.infer<typeof runDetailSchema>;
export type RunStatus = RunSummary['status'];
export type TableResult = RunDetail['tables'][number];
export type Review = RunDetail['reviews'][number];
export type StartedRun = z.infer<typeof startedRunSchema>;
export type UndoOffer = z.infer<typeof undoOfferSchema>;
export type Client = z.infer<typeof clientSchema>;
export type ClientDetail = z.infer<typeof clientDetailSchema>;
export type Connection = z.infer<typeof connectionSchema>;
export type RequestedSync = z.infer<typeof requestedSyncSchema>;
export type QuarantinedRow = z.infer<typeof quarantinedRowSchema>;
export type HealthReport = z.infer<typeof healthReportSchema>;

/** What `GET` answers with, by address; `$` stands for an id, and what follows `?` does not matter. */
export interface Answers {
  '/api/session': Session;
  '/api/syncs': Sync[];
  '/api/syncs/$': Sync;
  '/api/schedules': Schedule[];
  '/api/runs': RunSummary[];
  '/api/runs/$': RunDetail;
  '/api/runs/$/undo': UndoOffer;
  '/api/clients': Client[];
  '/api/clients/$': ClientDetail;
  '/api/quarantine': QuarantinedRow[];
  '/api/health': HealthReport;
}
