import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createActivities } from '../../activities/index.ts';
import { createAgent } from '../../src/connectors/http/create-agent.ts';
import type { MergeInput } from '../../src/domain/contracts.ts';
import type { RunId } from '../../src/domain/ids.ts';
import type { Source } from '../../src/domain/source.ts';
import { defineSync } from '../../src/syncs/define-sync.ts';
import { closeLead } from '../../src/syncs/rentals/close-lead.ts';
import { leadFields } from '../../src/syncs/rentals/fields.ts';
import { type ActivityHarness, readingOf, tableOfRun } from '../support/activity-harness.ts';
import { createTestDatabase } from '../support/engines.ts';
import { keyOfRow, type LeadInput, LeadModel, type LeadTable } from '../support/lead-model.ts';
import { NO_CLIENTS } from '../support/no-clients.ts';
import { NO_NOTIFICATIONS } from '../support/no-notifications.ts';
import { quickRentals } from '../support/quick-rentals.ts';
import { runActivity } from '../support/temporal-log.ts';
import { TEST_KEYS } from '../support/test-keys.ts';

const database = await createTestDatabase();
const { pool } = database;
const TABLES: readonly LeadTable[] = ['bookings', 'returns', 'walk_ins', 'loss_of_sale'];
const LEAD_TYPES: Readonly<Record<LeadTable, string>> = {
  bookings: 'bookingconfirmation',
  returns: 'return',
  walk_ins: 'enquiry',
  loss_of_sale: 'lossOfSale',
};

/** The real tables over rows in memory. A run takes those that are here when it stages. */
const shown = new Map<string, readonly LeadInput[]>();

function sourceOf(table: LeadTable): Source {
  return {
    setting: 'RETURN_API_BASE_URL',
    async *fetchPages() {
      const rows = (shown.get(table) ?? []).map((row, index) => ({
        position: index + 1,
        raw: '',
        values: {
          ...leadFields({
            ...row,
            returnDate: '2026-11-01',
            enquiryDate: table.includes('_') ? row.date : '',
          }),
          store: row.store,
          source: table,
          lead_type: LEAD_TYPES[table],
        },
      }));
      yield { rows, nextCursor: null };
    },
  };
}

const inMemory = defineSync({
  ...quickRentals,
  tables: quickRentals.tables
    .filter(({ name }) => name !== 'stores')
    .map((table) => ({ ...table, source: sourceOf(table.name as LeadTable) })),
});
const activities = createActivities({
  database,
  http: createAgent(),
  syncs: [inMemory],
  env: { RETURN_API_BASE_URL: 'http://127.0.0.1:9' },
  log: pino({ level: 'silent' }),
  isOpen: async () => true,
  keys: TEST_KEYS,
  clients: NO_CLIENTS,
  ...NO_NOTIFICATIONS,
});

const call: ActivityHarness['call'] = (name, ...input) => {
  const activity = activities[name] as (...args: unknown[]) => Promise<never>;
  return runActivity(activity, ...input);
};

/** What the workflow does with one table. */
async function load(name: LeadTable): Promise<void> {
  const run = await begin(name);
  for (let ended = false; !ended;) {
    const reviewed = await run.review();
    ended = reviewed === null || (await call('mergeStaged', reviewed)).outcome === 'merged';
  }
  await call('finishRun', { runId: run.runId });
}

async function begin(name: LeadTable) {
  const plan = await call('planRun', {
    sync: 'rentals',
    tables: [name],
    runId: randomUUID() as RunId,
    workflowId: 'test',
    trigger: 'manual',
    logicalAt: new Date().toISOString(),
  });
  const of = tableOfRun(plan, name);
  return {
    runId: plan.runId,
    /** Stages and reviews; null when there is nothing to merge. */
    review: async (): Promise<MergeInput | null> => {
      const staged = await call('stageTable', { ...of, ...readingOf(plan) });
      if (staged.ended) return null;
      const review = await call('reviewTable', { ...of, staged, kind: plan.kind });
      return review.verdict === 'same' ? null : { ...of, staged, review };
    },
  };
}

const inputs = fc.record({
  bookingNo: fc.constantFrom('', '', 'B1', 'B2'),
  phone: fc.constantFrom('9847000001', '+91 98470-00001', '9847000002', '09847000002'),
  name: fc.constantFrom('Anu Nair', ' anu  NAIR ', 'Biju'),
  store: fc.constantFrom('Suitor Guy - Edappally', 'Zorucci - Edappally'),
  date: fc.constantFrom('2026-11-01', '2026-11-02'),
  staff: fc.constantFrom('Asha', 'Ravi'),
  remarks: fc.constantFrom('first', 'second'),
});
const batch = fc.array(inputs, { minLength: 1, maxLength: 8 });
const table = fc.constantFrom(...TABLES);
const steps = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant('load' as const), table, batch }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('load twice at once' as const), table, batch }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('load the last again' as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('close' as const), n: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('edit' as const), n: fc.nat(20) }) },
);

async function idOf(key: string): Promise<number> {
  const { rows } = await pool.query('SELECT * FROM rentals.leads');
  return Number(rows.find((row) => keyOfRow(row) === key)?.lead_id);
}

test('batches shuffled, repeated, overlapping and at once leave the leads that the rule says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 2, maxLength: 8 }), async (sequence) => {
      await pool.query(`TRUNCATE rentals.leads, rentals.reports, durasync.table_state`);
      shown.clear();
      const model = new LeadModel();
      let last: { table: LeadTable; batch: readonly LeadInput[] } | undefined;
      for (const step of sequence) {
        switch (step.does) {
          case 'load':
          case 'load twice at once': {
            shown.set(step.table, step.batch);
            model.load(step.table, step.batch);
            const times = step.does === 'load' ? 1 : 2;
            await Promise.all(Array.from({ length: times }, () => load(step.table)));
            last = step;
            break;
          }
          case 'load the last again':
            if (!last) break;
            shown.set(last.table, last.batch.toReversed());
            model.load(last.table, last.batch.toReversed());
            await load(last.table);
            break;
          case 'close': {
            const key = model.pick(step.n);
            if (key === undefined) break;
            await closeLead(database, await idOf(key), 'test');
            model.close(key);
            break;
          }
          case 'edit': {
            const key = model.pick(step.n);
            if (key === undefined) break;
            await pool.query(
              `UPDATE rentals.leads SET remarks = 'mine', call_status = 'Connected' WHERE lead_id = $1`,
              [await idOf(key)],
            );
            model.edit(key, 'mine');
            break;
          }
        }
      }
      const { rows } = await pool.query('SELECT * FROM rentals.leads');
      const found = rows.map((row) => [
        keyOfRow(row),
        { attended_by: row.attended_by, remarks: row.remarks, call_status: row.call_status },
      ]);
      expect(rows).toHaveLength(model.leads.size);
      expect(Object.fromEntries(found)).toEqual(Object.fromEntries(model.leads));
    }),
    { numRuns: 40 },
  );
}, 180_000);

test('a row that is put in by hand gets the key that a source would give it, so no source doubles it', async () => {
  await pool.query(`TRUNCATE rentals.leads, rentals.reports, durasync.table_state`);
  const row = {
    bookingNo: '',
    phone: '9847000001',
    name: ' Anu  NAIR ',
    store: 'Zorucci - Edappally',
    date: '2026-11-01',
    staff: 'Asha',
    remarks: '',
  };
  for (const name of TABLES) {
    const insert = `INSERT INTO rentals.leads (lead_type, phone, name, store, enquiry_date) VALUES ($1, $2, $3, $4, $5)`;
    const values = [LEAD_TYPES[name], row.phone, row.name, row.store, row.date];
    await pool.query(insert, values);
    await expect(pool.query(insert, values)).rejects.toMatchObject({ code: '23505' });
    shown.set(name, [row]);
    await load(name);
  }
  const { rows } = await pool.query('SELECT count(*) FROM rentals.leads');
  expect(rows).toEqual([{ count: TABLES.length }]);
});

test('a merge that was reviewed before its lead was made and closed does not bring the lead back', async () => {
  await pool.query(`TRUNCATE rentals.leads, rentals.reports, durasync.table_state`);
  shown.set('bookings', [
    { bookingNo: 'B9', phone: '9847000009', name: 'C', store: 'S', date: '', staff: '', remarks: '' },
  ]);
  const late = await (await begin('bookings')).review();
  expect(late?.review).toMatchObject({ inserted: 1 });
  const { rows } = await pool.query(
    `INSERT INTO rentals.leads (lead_type, booking_no, phone, name, store)
     VALUES ('bookingconfirmation', 'B9', '9847000009', 'C', 'S') RETURNING lead_id`,
  );
  const leadId = Number(rows[0]?.lead_id);
  expect(await closeLead(database, leadId, 'alice')).toMatchObject({ lead_id: leadId, closed_by: 'alice' });
  expect(await call('mergeStaged', late as MergeInput)).toEqual({ outcome: 'moved' });
  await load('bookings');
  expect((await pool.query('SELECT count(*) FROM rentals.leads')).rows).toEqual([{ count: 0 }]);
  await expect(closeLead(database, leadId, 'bob')).rejects.toThrow('closed already, by alice');
  await expect(closeLead(database, 987_654, 'bob')).rejects.toThrow('There is no lead 987654');
  const audit = await pool.query(
    `SELECT actor FROM durasync.audit_log WHERE action = 'close lead' AND actor <> 'test'`,
  );
  expect(audit.rows).toEqual([{ actor: 'alice' }]);
});
