import type { Hono } from 'hono';
import { z } from 'zod';
import { demoCars } from './demo-cars.ts';

const BASE_PATH = '/auctions';
const KEY = 'demo-key';
const PAGE_DELAY_MS = 50;

const query = z.object({
  page: z.coerce.number().int().min(1).default(1),
  per_page: z.coerce.number().int().min(1).max(50).default(50),
});

/** The auctions API of the demo, a little different every six hours. */
export const carsDemo = {
  /** The variables that point the cars sync at the demo source server. */
  settings: (baseUrl: string): Record<string, string> => ({
    AUCTIONS_API_BASE_URL: baseUrl + BASE_PATH,
    AUCTIONS_API_KEY: KEY,
    CARS_PAGE_DELAY_MS: String(PAGE_DELAY_MS),
  }),

  mount(app: Hono, now: () => Date): void {
    app.get(`${BASE_PATH}/api/cars`, (context) => {
      if (context.req.header('x-api-key') !== KEY) return context.json({ message: 'Unauthenticated.' }, 401);
      const asked = query.safeParse(context.req.query());
      if (!asked.success) return context.json({ message: 'The page is not a number.' }, 422);
      const { page, per_page: perPage } = asked.data;
      const cars = demoCars(now());
      return context.json({
        data: cars.slice((page - 1) * perPage, page * perPage),
        meta: { current_page: page, last_page: Math.ceil(cars.length / perPage), per_page: perPage },
      });
    });
  },
};
