import { z } from 'zod';
import type { TableDefinition } from '../define-sync.ts';
import { auctions } from './auctions.ts';
import { CAR_STATUSES, ENDED } from './car-status.ts';

const DAY_MS = 86_400_000;
const KEPT_DAYS = 7;
const ID_LENGTH_MAX = 200;

const text = z.string().nullable();
const number = z.number().nullable();

const car = z.object({
  source: z.string(),
  external_id: z
    .string({ error: 'the car has no id' })
    .max(ID_LENGTH_MAX, `is longer than ${ID_LENGTH_MAX} characters`),
  domain: text,
  vin: text,
  vin_valid: z.boolean().nullable(),
  make: text,
  model: text,
  generation: text,
  title: text,
  year: number,
  fuel: text,
  transmission: text,
  color: text,
  body_style: text,
  drive_type: text,
  engine: text,
  mileage_km: number,
  listed_price: number,
  currency: text,
  landed_price: number,
  images: z.array(z.string()),
  location: text,
  seller: text,
  url: text,
  status: z.enum(CAR_STATUSES),
  issues: z.array(z.string()),
  /** JSON text, so that it is made only once for each car. */
  payload: z.string(),
  content_hash: z.string(),
  seen_at: z.iso.datetime(),
});

/** Cars for sale. One that is sold or withdrawn stays for a week and then moves to the archive. */
export const cars: TableDefinition = {
  name: 'cars',
  key: ['source', 'external_id'],
  row: car,
  source: auctions,
  // The status too: a car that was missing and is shown again as it was before.
  compared: ['content_hash', 'status'],
  version: 'seen_at',
  rowwise: true,
  archives: 'in full runs',
  lifecycle: {
    state: 'status',
    changedAt: 'status_changed_at',
    ended: ENDED,
    missing: 'archived',
    returns: ['active'],
    keptMs: KEPT_DAYS * DAY_MS,
  },
};
