import type { ColumnType, Generated } from 'kysely';
import type { HealthCheck, HealthStatus } from '../domain/health.ts';

type Timestamp = ColumnType<Date, Date | string, Date | string>;
type NullableTimestamp = ColumnType<Date | null, Date | string | null, Date | string | null>;
type GeneratedTimestamp = ColumnType<Date, Date | string | undefined, Date | string>;
type Json<T> = ColumnType<T, string, string>;
type GeneratedJson<T> = ColumnType<T, string | undefined, string>;
/** bigint columns; the pool's type parser turns them into numbers. */
type Count = Generated<number>;

interface SyncRunsTable {
  run_id: string;
  kind: string;
  sync: string;
  scope: string | null;
  workflow_id: string;
  trigger: string;
  triggered_by: string | null;
  logical_at: Timestamp;
  window_start: string | null;
  window_end: string | null;
  status: Generated<string>;
  started_at: GeneratedTimestamp;
  completed_at: NullableTimestamp;
  total_tables: Count;
  success_count: Count;
  failure_count: Count;
  total_rows_processed: Count;
  error_message: string | null;
  metadata: GeneratedJson<Record<string, unknown>>;
}

interface SyncRunTablesTable {
  run_id: string;
  table_name: string;
  status: Generated<string>;
  stage: string | null;
  fetched: Count;
  staged: Count;
  quarantined: Count;
  duplicates: Count;
  inserted: Count;
  updated: Count;
  unchanged: Count;
  skipped: Count;
  archived: Count;
  restored: Count;
  merged_generation: number | null;
  archived_generation: number | null;
  before_run_id: string | null;
  before_fetched_at: NullableTimestamp;
  review: Json<Record<string, unknown>> | null;
  started_at: NullableTimestamp;
  completed_at: NullableTimestamp;
  error_message: string | null;
}

interface QuarantinedRowsTable {
  id: Generated<number>;
  run_id: string;
  sync: string;
  table_name: string;
  position: number;
  raw: string;
  reasons: Json<readonly string[]>;
  unreadable: boolean;
  values: Json<Readonly<Record<string, unknown>>> | null;
  created_at: GeneratedTimestamp;
  replay_run_id: string | null;
  resolved_at: NullableTimestamp;
}

interface TableStateTable {
  sync: string;
  scope: Generated<string>;
  table_name: string;
  generation: Count;
  merged_run_id: string | null;
  source_fetched_at: NullableTimestamp;
  drift: GeneratedJson<string[]>;
}

interface StagingProgressTable {
  run_id: string;
  table_name: string;
  attempt: number;
  relation: string;
  fetch_started_at: Timestamp;
  page: Generated<number>;
  next_cursor: string | null;
  fetched: Count;
  quarantined: Count;
  unreadable: Count;
  drift: GeneratedJson<string[]>;
  result: Json<Record<string, unknown>> | null;
}

interface WatermarksTable {
  sync: string;
  scope: Generated<string>;
  name: string;
  value: string;
  run_id: string;
  updated_at: GeneratedTimestamp;
}

interface RowChangesTable {
  run_id: string;
  table_name: string;
  change: 'updated' | 'restored' | 'inserted';
  before: Json<Readonly<Record<string, unknown>>>;
}

interface WatermarkChangesTable {
  run_id: string;
  sync: string;
  scope: string;
  name: string;
  before_value: string | null;
  before_run_id: string | null;
}

interface GeocodeCacheTable {
  geocoder: string;
  address: string;
  status: string;
  latitude: number | null;
  longitude: number | null;
  place_id: string | null;
  approximate: Generated<boolean>;
  answered_at: GeneratedTimestamp;
}

interface AuditLogTable {
  id: Generated<number>;
  at: GeneratedTimestamp;
  actor: string;
  action: string;
  subject: string;
  detail: GeneratedJson<Record<string, unknown>>;
}

interface ApiTokensTable {
  id: string;
  role: 'viewer' | 'operator' | 'admin';
  name: string;
  token_hash: Buffer;
  created_at: GeneratedTimestamp;
  last_used_at: NullableTimestamp;
  revoked_at: NullableTimestamp;
}

interface SessionsTable {
  id_hash: Buffer;
  token_hash: Buffer;
  created_at: GeneratedTimestamp;
  last_seen_at: GeneratedTimestamp;
  expires_at: Timestamp;
}

interface LoginCodesTable {
  code_hash: Buffer;
  token_hash: Buffer;
  expires_at: Timestamp;
}

interface OpenCausesTable {
  cause: string;
  kind: string;
  parts: ColumnType<string[], string[] | undefined, string[]>;
  raised_at: GeneratedTimestamp;
}

interface NotificationsTable {
  id: Generated<number>;
  cause: string;
  kind: string;
  event: 'raised' | 'changed' | 'resolved' | 'told';
  title: string;
  body: string;
  created_at: GeneratedTimestamp;
  dispatched_at: NullableTimestamp;
}

interface NotificationDeliveriesTable {
  notification_id: number;
  channel: string;
  status: Generated<'pending' | 'sent' | 'failed'>;
  attempts: Generated<number>;
  due_at: GeneratedTimestamp;
  ended_at: NullableTimestamp;
  error_message: string | null;
}

interface WatchedSyncsTable {
  sync: string;
  since: GeneratedTimestamp;
}

interface HealthReportTable {
  only_row: Generated<boolean>;
  checked_at: Timestamp;
  status: HealthStatus;
  checks: Json<readonly HealthCheck[]>;
}

/** The tables of schema `durasync`. Live tables belong to their sync and are reached through its definition. */
export interface Database {
  'durasync.sync_runs': SyncRunsTable;
  'durasync.sync_run_tables': SyncRunTablesTable;
  'durasync.quarantined_rows': QuarantinedRowsTable;
  'durasync.table_state': TableStateTable;
  'durasync.staging_progress': StagingProgressTable;
  'durasync.watermarks': WatermarksTable;
  'durasync.row_changes': RowChangesTable;
  'durasync.watermark_changes': WatermarkChangesTable;
  'durasync.geocode_cache': GeocodeCacheTable;
  'durasync.audit_log': AuditLogTable;
  'durasync.api_tokens': ApiTokensTable;
  'durasync.sessions': SessionsTable;
  'durasync.login_codes': LoginCodesTable;
  'durasync.open_causes': OpenCausesTable;
  'durasync.notifications': NotificationsTable;
  'durasync.notification_deliveries': NotificationDeliveriesTable;
  'durasync.watched_syncs': WatchedSyncsTable;
  'durasync.health_report': HealthReportTable;
}
