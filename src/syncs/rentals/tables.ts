import { z } from 'zod';
import { integer, keyText, money, required, text } from '../columns.ts';
import type { TableDefinition } from '../define-sync.ts';
import { day, phone } from './columns.ts';
import { leadKey, type LeadIdentity } from './lead-key.ts';
import { reportSource } from './report-source.ts';
import { type OpenClient, storeOfLocation, storesSource } from './stores-source.ts';

/** A source with more bad rows than this has changed its form; fewer cost only themselves. */
const REPORT_GUARDS = { quarantineShare: 0.5 };

const SETTING = 'RETURN_API_BASE_URL';

/** The store list. Its stores stay when they leave it: leads name them. */
export const stores = (open: OpenClient): TableDefinition => ({
  name: 'stores',
  key: ['id'],
  row: z.object({
    id: required(integer()),
    loc_code: text(),
    loc_name: required(keyText()),
    status: integer(),
    brand: text(),
    city: text(),
  }),
  computed: { store: (row) => storeOfLocation(String(row['id']), String(row['loc_name'])) },
  source: storesSource(SETTING, open),
  incremental: 'parts',
  archives: false,
  guards: REPORT_GUARDS,
});

/** The columns that every lead has, whatever it comes from. */
export const LEAD = {
  lead_type: z.enum(['bookingconfirmation', 'return', 'lossOfSale', 'enquiry']),
  source: required(text()),
  booking_no: keyText(),
  phone: required(phone()),
  name: required(keyText()),
  function_date: day(),
  enquiry_date: day(),
  category: text(),
  sub_category: text(),
  attended_by: text(),
  remarks: text(),
};

const reportRow = z.object({
  ...LEAD,
  store: required(keyText()),
  return_date: day(),
  booking_date: day(),
  rent_out_date: day(),
  expected_return_date: day(),
  cancel_date: day(),
  item_code: text(),
  item_name: text(),
  payment_type: text(),
  price: money(),
  measurement: text(),
  address: text(),
});

/** What all tables of leads have in common. */
export const LEADS = {
  live: 'leads',
  key: ['lead_key'],
  computed: { lead_key: (row: unknown) => leadKey(row as LeadIdentity) },
  incremental: 'parts',
  settledIn: 'reports',
  archives: false,
} as const satisfies Partial<TableDefinition>;

/** Bookings of every location. A lead that is there is never changed. */
export const bookings = (open: OpenClient): TableDefinition => ({
  ...LEADS,
  name: 'bookings',
  row: reportRow,
  existing: 'skip',
  insertOnly: ['remarks'],
  guards: REPORT_GUARDS,
  source: reportSource({ setting: SETTING, report: 'bookings', leadType: 'bookingconfirmation', open }),
});

/** Returns of every location, each with its date. */
export const returns = (open: OpenClient): TableDefinition => ({
  ...LEADS,
  name: 'returns',
  row: reportRow.extend({ return_date: required(day()) }),
  existing: 'skip',
  insertOnly: ['remarks'],
  guards: REPORT_GUARDS,
  source: reportSource({ setting: SETTING, report: 'returns', leadType: 'return', open }),
});
