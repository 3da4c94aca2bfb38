import { describe, expect, test } from 'vitest';
import { carRecord } from '../../../test/support/fake-auctions.ts';
import { lotStatus, mainLot } from './car-status.ts';
import { readAuctionCar } from './read-auction-car.ts';

const SEEN_AT = new Date('2026-11-23T06:00:00Z');
const read = (record: unknown) => readAuctionCar(record, SEEN_AT);

describe('a car of the auctions API', () => {
  test('is read from all its parts', () => {
    expect(read(carRecord(7))).toEqual({
      external_id: '7',
      domain: 'encar_com',
      vin: '1M8GDM9AXKP042788',
      vin_valid: true,
      make: 'Hyundai',
      model: 'Sonata',
      generation: 'DN8',
      title: 'Car 7',
      year: 2021,
      fuel: 'gasoline',
      transmission: 'automatic',
      color: 'white',
      body_style: 'sedan',
      drive_type: 'front',
      engine: '2.0L',
      mileage_km: 45_210,
      listed_price: 10_007,
      currency: null,
      landed_price: 12_557,
      images: ['https://images.example/7.jpg'],
      location: 'Seoul',
      seller: 'Dealer',
      url: null,
      status: 'active',
      issues: [],
    });
  });

  test.each([[{}], [{ lots: null }], [{ lots: [] }], [{ lots: [null] }], [{ lots: 'none' }]])(
    'may lack every part: %j',
    (record) => {
      const car = read({ id: 1, ...record });
      const { external_id, images, issues, status, ...rest } = car;
      expect({ external_id, images, status }).toEqual({ external_id: '1', images: [], status: 'active' });
      expect(Object.values(rest).every((value) => value === null)).toBe(true);
      const noLot = JSON.stringify(record) !== '{"lots":[null]}';
      expect(issues).toEqual(noLot ? ['lots: there is none'] : []);
    },
  );

  test('has no id when the source gives none', () => {
    for (const id of [undefined, null, '', ' ', {}, []]) expect(read({ id }).external_id).toBeNull();
  });

  test.each([
    ['a price of -1', { buy_now: -1 }, 'listed_price', 'buy_now: -1 is not between 0 and 1000000000'],
    ['a price in words', { buy_now: 'ask' }, 'listed_price', 'buy_now: "ask" is not between'],
    ['a negative mileage', { odometer: { km: -5 } }, 'mileage_km', 'odometer: -5 is not between'],
  ] as const)('%s is null and named', (_name, lot, column, issue) => {
    const car = read(carRecord(1, lot));
    expect(car[column]).toBeNull();
    expect(car.landed_price === null).toBe(column === 'listed_price');
    expect(car.issues).toEqual([expect.stringContaining(issue)]);
  });

  test.each([[1800], [2029], ['soon'], [[]]])('the year %j is null and named', (year) => {
    const car = read(carRecord(1, {}, { year }));
    expect(car.year).toBeNull();
    expect(car.issues).toHaveLength(1);
  });

  test.each([
    [null, null, null],
    [0, null, null],
    ['', null, null],
    ['12,500.50', 12_500.5, 15_051],
    [9_999.49, 9_999.49, 12_549],
  ])('a price of %s is listed as %s and landed at %s', (buyNow, listed, landed) => {
    expect(read(carRecord(1, { buy_now: buyNow }))).toMatchObject({
      listed_price: listed,
      landed_price: landed,
      issues: [],
    });
  });

  test('a VIN whose check digit is wrong is kept and flagged', () => {
    const vins = ['1M8GDM9AXKP042788', '1m8gdm9axkp042788', '1M8GDM9A1KP042788', '1M8GDM9AXKP04278', 'IOQ'];
    const cars = vins.map((vin) => read(carRecord(1, {}, { vin })));
    expect(cars.map(({ vin_valid }) => vin_valid)).toEqual([true, true, false, false, false]);
    expect(cars[2]?.vin).toBe('1M8GDM9A1KP042788');
    expect(read(carRecord(1, {}, { vin: null }))).toMatchObject({ vin: null, vin_valid: null });
  });

  test('miles count when there are no kilometres', () => {
    expect(read(carRecord(1, { odometer: { km: null, mi: 100 } })).mileage_km).toBe(161);
  });

  test.each([
    [{ normal: ['a', null, 5, 'b'], big: ['c'] }, ['a', 'b']],
    [{ normal: [], big: ['c'] }, ['c']],
    [{ normal: null }, []],
    [null, []],
  ])('images of %j are %j', (images, expected) => {
    expect(read(carRecord(1, { images })).images).toEqual(expected);
  });
});

describe('the status of a lot', () => {
  test.each([
    [{ sale_status: 'sold', status: 2 }, 'sold'],
    [{ sale_status: 'Pending - sold', status: 1 }, 'sold'],
    [{ sale_status: 'pending, archived', status: 3 }, 'pending'],
    [{ sale_status: 'ARCHIVED live', status: 3 }, 'archived'],
    [{ sale_status: 'live', status: 3 }, 'active'],
    [{ sale_status: 'not_sold', status: 1 }, 'active'],
    [{ sale_status: 'unsold', status: 2 }, 'pending'],
    [{ sale_status: null, status: 3 }, 'sold'],
    [{ status: '3' }, 'sold'],
    [{ status: { id: 2, name: 'sale' } }, 'pending'],
    [{ status: { name: 'sold' } }, 'sold'],
    [{ status: 1 }, 'active'],
    [{}, 'active'],
    [null, 'active'],
    [undefined, 'active'],
  ])('of %j is %s', (lot, status) => {
    expect(lotStatus(lot)).toBe(status);
  });

  test('the first lot that is not sold speaks for the car, else the first', () => {
    const [sold, open, later] = [{ status: 3 }, { status: 2 }, { status: 1 }];
    expect(mainLot([sold, open, later])).toBe(open);
    expect(mainLot([sold, { sale_status: 'sold' }])).toBe(sold);
    expect(mainLot([])).toBeUndefined();
  });
});
