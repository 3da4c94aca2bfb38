import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { demoCars } from './demo-cars.ts';
import { carsDemo } from './demo-source.ts';
import { readAuctionCar } from './read-auction-car.ts';

const MONDAY = new Date('2026-11-23T06:00:00Z');
const later = (days: number): Date => new Date(MONDAY.getTime() + days * 86_400_000);
const read = (at: Date) => demoCars(at).map((record) => readAuctionCar(record, at));

describe('the demo cars', () => {
  test('are 400 with ids and VINs of their own, of both market places, in every state', () => {
    const cars = read(MONDAY);
    expect(cars).toHaveLength(400);
    expect(new Set(cars.map(({ external_id }) => external_id)).size).toBe(400);
    expect(new Set(cars.map(({ vin }) => vin)).size).toBe(400);
    expect(new Set(cars.map(({ domain }) => domain))).toEqual(new Set(['encar_com', 'kbchachacha_com']));
    expect(new Set(cars.map(({ status }) => status))).toEqual(new Set(['active', 'pending', 'sold']));
    expect(cars.every(({ title }) => title?.endsWith('(demo)'))).toBe(true);
  });

  test('have a few mistakes to show', () => {
    const cars = read(MONDAY);
    const mistyped = cars.filter(({ vin_valid }) => vin_valid === false).length;
    expect(mistyped).toBeGreaterThan(0);
    expect(mistyped).toBeLessThan(20);
    expect(cars.filter(({ issues }) => issues.length > 0).length).toBeGreaterThan(0);
  });

  test('differ every six hours and not between', () => {
    expect(demoCars(later(0.2))).toEqual(demoCars(MONDAY));
    expect(demoCars(later(0.25))).not.toEqual(demoCars(MONDAY));
  });

  test('vanish too slowly in a week for a full run to be held', () => {
    const shown = new Set(read(later(7)).map(({ external_id }) => external_id));
    const open = read(MONDAY).filter(({ status }) => status === 'active' || status === 'pending');
    const missing = open.filter(({ external_id }) => !shown.has(external_id));
    expect(missing.length).toBeGreaterThan(0);
    expect(missing.length / open.length).toBeLessThan(0.1);
  });
});

describe('the demo auctions API', () => {
  const app = new Hono();
  carsDemo.mount(app, () => MONDAY);
  const headers = { 'x-api-key': carsDemo.settings('')['AUCTIONS_API_KEY'] ?? '' };

  test('serves its cars page by page', async () => {
    const pages = await Promise.all(
      [1, 8, 9].map(async (page) => {
        const answer = await app.request(`/auctions/api/cars?per_page=50&page=${page}`, { headers });
        return (await answer.json()) as { data: unknown[]; meta: object };
      }),
    );
    expect(pages.map(({ data }) => data.length)).toEqual([50, 50, 0]);
    expect(pages[1]?.meta).toMatchObject({ current_page: 8, last_page: 8 });
  });

  test('refuses who has no key, and a page that is none', async () => {
    expect((await app.request('/auctions/api/cars')).status).toBe(401);
    expect((await app.request('/auctions/api/cars?page=x', { headers })).status).toBe(422);
  });
});
