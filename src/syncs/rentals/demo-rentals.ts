import type { Hono } from 'hono';
import { z } from 'zod';
import { addDays } from '../days.ts';
import { hash, pick } from '../fleet/demo-random.ts';
import { KNOWN_LOCATIONS } from './locations.ts';

const BASE_PATH = '/rentals';
const DAY_MS = 86_400_000;
const SEED = 5;
const DAYS_OF_MONTH = 30;
const RENTED_DAYS = 9;

/** The known locations and one more, which only the store list tells of. */
const LOCATIONS = [...KNOWN_LOCATIONS, { id: '22', store: 'Suitor Guy - Demo Street' }].toSorted(
  (a, b) => Number(a.id) - Number(b.id),
);
const FIRST_NAMES = ['Asha', 'Biju', 'Deepa', 'Faisal', 'Geetha', 'Hari', 'Jaya', 'Manu', 'Nisha', 'Ravi'];
const LAST_NAMES = ['Nair', 'Menon', 'Kurian', 'Thomas', 'Pillai', 'Varghese', 'Iyer', 'Shaji'];
const ITEMS = ['Tuxedo', 'Three-piece suit', 'Sherwani', 'Jodhpuri', 'Gown', 'Lehenga'];

const asked = z.object({
  locationID: z.string(),
  dateFrom: z.string(),
  dateTo: z.string(),
  months: z.string(),
});
type Asked = z.infer<typeof asked>;

/** The rental software of the demo: every location has one booking a day, and its return nine days later. */
export const rentalsDemo = {
  /** The variable that points the rentals at the demo source server. */
  settings: (baseUrl: string): Record<string, string> => ({ RETURN_API_BASE_URL: baseUrl + BASE_PATH }),

  mount(app: Hono, now: () => Date): void {
    app.get(`${BASE_PATH}/api/Location/LocationList`, (context) =>
      context.json({ dataSet: { data: LOCATIONS.map(listed) } }),
    );
    const reports = { GetBookingReport: booking, GetReturnReport: returned };
    for (const [name, recordOf] of Object.entries(reports)) {
      app.post(`${BASE_PATH}/api/Reports/${name}`, async (context) => {
        const body = asked.safeParse(await context.req.json().catch(() => null));
        if (!body.success) return context.json({ status: false, message: 'The body lacks a field.' }, 400);
        const known = LOCATIONS.some(({ id }) => id === body.data.locationID);
        if (!known) return context.json({ status: false, dataSet: null });
        const data = daysOf(body.data, now()).flatMap(
          (day) => recordOf(body.data.locationID, day, now()) ?? [],
        );
        return context.json({ status: true, dataSet: { data } });
      });
    }
  },
};

const listed = ({ id, store }: (typeof LOCATIONS)[number]) => ({
  id: Number(id),
  locCode: `${store.startsWith('Z') ? 'Z' : 'SG'}-${id}`,
  locName: store,
  status: 1,
  brand: store.slice(0, store.indexOf(' - ')),
  city: store.slice(store.indexOf(' - ') + 3),
});

/** The days asked for, YYYY-MM-DD, none of them in the future. */
function daysOf({ dateFrom, dateTo, months }: Asked, now: Date): string[] {
  const today = now.toISOString().slice(0, 10);
  const last = dateTo !== '' && dateTo < today ? dateTo : today;
  const first = dateFrom === '' ? addDays(last, -(Number(months) || 1) * DAYS_OF_MONTH) : dateFrom;
  const days: string[] = [];
  for (let day = first; day <= last; day = addDays(day, 1)) days.push(day);
  return days;
}

/** The booking of a day; none before its time of day has come, so that new ones appear all day long. */
function booking(location: string, day: string, now: Date): object | null {
  const random = hash(SEED, Number(location), Date.parse(day) / DAY_MS);
  if (Date.parse(day) + (random % DAY_MS) > now.getTime()) return null;
  return {
    bookingNo: `DEMO-${location}-${day.replaceAll('-', '')}`,
    customerName: `${pick(FIRST_NAMES, random)} ${pick(LAST_NAMES, random >>> 8)} (demo)`,
    phoneNo: `99${String(random % 100_000_000).padStart(8, '0')}`,
    bookingDate: `${day}T00:00:00`,
    functionDate: `${addDays(day, 5)}T00:00:00`,
    deliveryDate: `${addDays(day, 4)}T00:00:00`,
    itemCode: `D${random % 500}`,
    itemName: pick(ITEMS, random >>> 4),
    price: 1_500 + (random % 60) * 100,
    bookingBy: pick(FIRST_NAMES, random >>> 12),
  };
}

/** The return of what was booked nine days before. */
function returned(location: string, day: string, now: Date): object | null {
  const rented = booking(location, addDays(day, -RENTED_DAYS), now);
  return rented && { ...rented, returnDate: `${day}T00:00:00` };
}
