import type { Hono } from 'hono';
import { z } from 'zod';
import { addDays, dayIn } from '../days.ts';
import { hash, pick } from '../fleet/demo-random.ts';

const PATH = '/sales/api/sales';
const KEY = 'demo-key';
const DAY_MS = 86_400_000;
const SEED = 6;
const SALES_MIN = 120;
const SALES_SPREAD = 80;
const DAYS_MAX = 400;

const PRODUCTS = [
  { name: 'Espresso beans 1 kg (demo)', cents: 2_450 },
  { name: 'Filter papers (demo)', cents: 395 },
  { name: 'Hand grinder (demo)', cents: 8_900 },
  { name: 'Milk jug (demo)', cents: 1_825 },
  { name: 'Travel mug (demo)', cents: 2_199 },
  { name: 'Descaler (demo)', cents: 1_150 },
];
const REGIONS = ['North', 'South', 'East', 'West'];

const day = z.iso.date();
const asked = z.object({ start_date: day, end_date: day });

/** The sales API of the demo: between 120 and 200 sales a day, always the same ones for the same day. */
export const salesDemo = {
  /** The variables that point the sales sync at the demo source server. */
  settings: (baseUrl: string): Record<string, string> => ({
    SALES_API_URL: baseUrl + PATH,
    SALES_API_KEY: KEY,
  }),

  mount(app: Hono, now: () => Date): void {
    app.get(PATH, (context) => {
      if (context.req.header('authorization') !== `Bearer ${KEY}`) {
        return context.json({ error: 'the key is not known' }, 401);
      }
      const days = asked.safeParse(context.req.query());
      if (!days.success) return context.json({ error: 'start_date and end_date are days, YYYY-MM-DD' }, 400);
      const { start_date: from, end_date: to } = days.data;
      return context.json(daysBetween(from, to, dayIn('UTC', now())).flatMap(salesOf));
    });
  },
};

/** The days asked for, none of them in the future. */
function daysBetween(from: string, to: string, today: string): string[] {
  const days: string[] = [];
  for (let at = from; at <= to && at <= today && days.length < DAYS_MAX; at = addDays(at, 1)) days.push(at);
  return days;
}

function salesOf(date: string): object[] {
  const ofDay = hash(SEED, Date.parse(date) / DAY_MS);
  return Array.from({ length: SALES_MIN + (ofDay % SALES_SPREAD) }, (_, index) => {
    const random = hash(SEED, Date.parse(date) / DAY_MS, index);
    const product = pick(PRODUCTS, random);
    const quantity = 1 + ((random >>> 8) % 4);
    return {
      date,
      user_id: `demo-${1 + ((random >>> 12) % 40)}`,
      product_name: product.name,
      quantity,
      unit_price: product.cents / 100,
      total_amount: (product.cents * quantity) / 100,
      region: pick(REGIONS, random >>> 4),
    };
  });
}
