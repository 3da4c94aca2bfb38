import { z } from 'zod';
import { csvFeed } from '../../connectors/csv/csv-feed.ts';
import type { Source } from '../../domain/source.ts';
import {
  date,
  identifier,
  integer,
  keyText,
  money,
  month,
  oneOf,
  required,
  text,
  upperCase,
  vin,
} from '../columns.ts';
import type { TableDefinition } from '../define-sync.ts';

/** A feed whose columns come in the order of the schema, or under a header row in any order. */
function fmsFeed(
  setting: string,
  table: string,
  row: z.ZodObject,
  headers: Record<string, string> = {},
): Source {
  const columns = Object.entries(row.shape).map(([name, schema]) => ({
    name,
    header: headers[name] ?? name,
    required: !schema.safeParse(undefined).success,
  }));
  return csvFeed({ setting, table, columns });
}

const vehicleRow = z.object({
  vehicle_id: identifier(),
  year: integer(),
  make: required(text()),
  model: required(text()),
  model_short_name: text(),
  office: required(text()),
  vin: required(vin()),
  fleet: text(),
  registration_exp: date(),
  insurance_exp: date(),
  current_mileage: integer(),
  in_service_date: month(),
  expected_turn_in_date: date(),
  notes: text(),
  color: text(),
});

/** active_vehicles.rpt */
export const vehicles: TableDefinition = {
  name: 'vehicles',
  key: ['vin'],
  row: vehicleRow,
  source: fmsFeed('FMS_VEHICLES_CSV_URL', 'vehicles', vehicleRow),
  archives: true,
};

const partnerRow = z.object({
  person_id: required(identifier()),
  name: required(text()),
  address: text(),
  office: required(text()),
  default_loan_region: text(),
  notes_instructions: text(),
  affiliation: text(),
  activity_type_subcategory_id: identifier(),
});

/** media_partners.rpt */
export const mediaPartners: TableDefinition = {
  name: 'media_partners',
  key: ['person_id'],
  row: partnerRow,
  source: fmsFeed('FMS_PARTNERS_CSV_URL', 'media_partners', partnerRow),
  archives: true,
  derived: {
    columns: [
      'latitude',
      'longitude',
      'geocode_status',
      'geocode_approximate',
      'geocoded_at',
      'preferred_day_of_week',
      'preferred_day_confidence',
      'preferred_day_source',
    ],
    unless: {
      column: 'preferred_day_source',
      is: 'manual',
      columns: ['preferred_day_of_week', 'preferred_day_source'],
    },
  },
};

const loanRow = z.object({
  activity_id: required(identifier()),
  vin: required(vin()),
  person_id: required(identifier()),
  make: required(text()),
  model: required(text()),
  year: integer(),
  model_short_name: text(),
  start_date: required(date()),
  end_date: required(date()),
  clips_received: text(),
  office: required(text()),
  name: required(text()),
  partner_address: text(),
  region: text(),
});

/** loan_history.rpt */
export const loanHistory: TableDefinition = {
  name: 'loan_history',
  key: ['activity_id'],
  row: loanRow,
  source: fmsFeed('FMS_LOAN_HISTORY_CSV_URL', 'loan_history', loanRow),
  archives: true,
};

const activityRow = z.object({
  activity_id: required(identifier()),
  person_id: identifier(),
  vehicle_vin: required(vin()),
  activity_type: required(text()),
  start_date: required(date()),
  end_date: required(date()),
  to_field: text(),
  partner_address: text(),
  region: text(),
});

/** current_vehicle_activity.rpt. Activities come and go, so many may be missing at once. */
export const currentActivity: TableDefinition = {
  name: 'current_activity',
  key: ['activity_id'],
  row: activityRow,
  source: fmsFeed('FMS_CURRENT_ACTIVITY_CSV_URL', 'current_activity', activityRow, { to_field: 'To' }),
  archives: true,
  guards: { missingShare: 0.6 },
};

const approvedMakeRow = z.object({
  person_id: required(identifier()),
  name: required(text()),
  make: required(keyText()),
  rank: required(oneOf('A+', 'A', 'B', 'C', 'Pending')),
});

/** approved_makes.rpt */
export const approvedMakes: TableDefinition = {
  name: 'approved_makes',
  key: ['person_id', 'make'],
  row: approvedMakeRow,
  source: fmsFeed('FMS_APPROVED_MAKES_CSV_URL', 'approved_makes', approvedMakeRow),
  archives: true,
};

const MAKE_SPELLINGS = { VW: 'VOLKSWAGEN', CHEVY: 'CHEVROLET', CHEV: 'CHEVROLET' };

/** What identifies a budget, in whatever shows one. */
export const BUDGET_KEY = {
  fleet: required(upperCase(MAKE_SPELLINGS)),
  office: required(keyText()),
  year: required(integer()),
  quarter: required(upperCase()),
};

const budgetRow = z.object({ ...BUDGET_KEY, amount_used: money() });

/** What was spent of each budget. The budgets themselves come from uploads and are not touched. */
export const budgetSpending: TableDefinition = {
  name: 'budgets',
  key: ['office', 'fleet', 'year', 'quarter'],
  row: budgetRow,
  source: fmsFeed('FMS_BUDGET_SPENDING_CSV_URL', 'budgets', budgetRow),
  optional: true,
  archives: false,
};
