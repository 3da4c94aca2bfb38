import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { validateRow } from '../validate-row.ts';
import { leadFields } from './fields.ts';
import { inAnyOrder } from './in-any-order.ts';
import { defineRentals } from './index.ts';
import { KNOWN_LOCATIONS } from './locations.ts';
import { readRecord } from './read-record.ts';
import { daysToAsk } from './report-window.ts';
import { findStore, findStoreIn } from './store-name.ts';

const tables = defineRentals().tables;
const table = (name: string) => {
  const found = tables.find((each) => each.name === name);
  if (!found) throw new Error(`no table ${name}`);
  return found;
};
const BASE = { phoneNo: '9847000001', customerName: 'Anu Nair', bookingNo: 'B1', returnDate: '2026-11-01' };
const check = (record: object, name = 'bookings') =>
  validateRow(
    table(name),
    readRecord({ ...BASE, ...record }, 1, (fields) => ({
      ...leadFields(fields),
      store: 'Suitor Guy - Kannur',
      source: 'api',
      lead_type: name === 'returns' ? 'return' : 'bookingconfirmation',
    })),
  );

describe('a field', () => {
  test.each([
    ['phone', ['phoneNo', 'phone', 'customerPhone', 'mobile', 'contact', 'PHONE_NO', 'customer_phone']],
    ['name', ['name', 'customerName', 'customer_name', 'CUSTOMERNAME']],
    ['booking_no', ['bookingNo', 'bookingNumber', 'booking_number']],
    ['return_date', ['returnDate', 'return_date', 'ReturnDate']],
    ['function_date', ['functionDate', 'eventDate', 'deliveryDate', 'trialDate', 'trial_date']],
    ['enquiry_date', ['enquiryDate', 'date']],
    ['attended_by', ['attendedBy', 'staff', 'bookingBy', 'handledBy', 'handled_by']],
    ['remarks', ['remarks', 'feedback', 'notes']],
    ['sub_category', ['subCategory', 'sub_category', 'SubCategory']],
  ])('%s is found under each of its names', (column, names) => {
    for (const name of names) expect(leadFields({ [name]: 'here' })).toEqual({ [column]: 'here' });
  });

  test('takes the first name that says something', () => {
    expect(
      leadFields({ phoneNo: ' ', mobile: null, contact: 9847000001, eventDate: 'b', functionDate: 'a' }),
    ).toEqual({
      phone: '9847000001',
      function_date: 'a',
    });
  });
});

describe('a phone number', () => {
  test.each([
    ['9847000001', '9847000001'],
    ['+91 98470-00001', '9847000001'],
    ['09847000001', '9847000001'],
    ['484700002', '0484700002'],
    ['9847000001.0', '9847000001'],
    [9847000001, '9847000001'],
  ])('%s is %s', (given, read) => {
    expect(check({ phoneNo: given })).toMatchObject({ kind: 'valid', values: { phone: read } });
  });

  test.each(['98470', 'call Anu', '9847abc', '', null, '0'])('%s is quarantined', (given) => {
    const verdict = check({ phoneNo: given });
    expect(verdict).toMatchObject({ kind: 'quarantined', reasons: [expect.stringMatching(/^phone: /)] });
  });
});

describe('a date', () => {
  test.each([
    ['2026-11-01T00:00:00', '2026-11-01'],
    ['2026-11-01', '2026-11-01'],
    ['01-11-2026', '2026-11-01'],
    ['1/11/2026', '2026-11-01'],
    ['01/11/26 10:30', '2026-11-01'],
    ['1900-01-01T00:00:00', null],
    ['0001-01-01T00:00:00', null],
    ['01/01/1900', null],
    ['', null],
  ])('%s is %s', (given, read) => {
    expect(check({ functionDate: given })).toMatchObject({ kind: 'valid', values: { function_date: read } });
  });

  test.each(['31-02-2026', '2026-13-01', 'soon', '11-31-2026'])('%s is quarantined', (given) => {
    expect(check({ functionDate: given })).toMatchObject({
      reasons: [
        `function_date: '${given}' is not a date of the calendar (DD-MM-YYYY, DD/MM/YYYY or YYYY-MM-DD)`,
      ],
    });
  });

  test('of a return is needed, and the year 1900 is none', () => {
    expect(check({}, 'returns')).toMatchObject({ kind: 'valid' });
    expect(check({ returnDate: '1900-01-01' }, 'returns')).toMatchObject({
      kind: 'quarantined',
      reasons: ['return_date: is required and blank here'],
    });
  });
});

describe('a record', () => {
  test('without a name, or with one too long for a key, is quarantined', () => {
    expect(check({ customerName: ' ' })).toMatchObject({ reasons: ['name: is required and blank here'] });
    expect(check({ customerName: 'x'.repeat(201) })).toMatchObject({ kind: 'quarantined' });
  });

  test.each([
    ['null', null, 'not a record'],
    ['a text', 'hello', 'not a record'],
    ['a list', [1], 'not a record'],
    ['a record with a NUL', { phone: 'a\0b' }, 'NUL'],
    ['a record with a text of over a megabyte', { remarks: 'x'.repeat(1_048_577) }, 'longer than 1 MB'],
  ])('that is %s is unreadable', (_what, entry, reason) => {
    expect(readRecord(entry, 3, leadFields).unreadable).toContain(reason);
  });

  test('has the key of its booking, else of its person', () => {
    const key = (record: object) => {
      const verdict = check(record);
      return verdict.kind === 'valid' ? verdict.values['lead_key'] : verdict.reasons;
    };
    expect(key({})).toBe('booking|b1|9847000001|bookingconfirmation');
    expect(key({ bookingNo: null })).toBe(
      'person|9847000001|anu nair|bookingconfirmation|suitor guy - kannur',
    );
    expect(key({ bookingNo: '', customerName: ' ANU   nair ' })).toBe(key({ bookingNo: null }));
    expect(key({ bookingNo: 'B2' })).not.toBe(key({}));
  });

  test('keeps the name as the source writes it', () => {
    expect(check({ customerName: ' ANU  nair' })).toMatchObject({ values: { name: 'ANU  nair' } });
  });
});

describe('a store', () => {
  test.each([
    ['Suitor Guy - Kottayam', 'Suitor Guy - Kottayam'],
    ['SG Kottayam', 'Suitor Guy - Kottayam'],
    ['sg-edapally', 'Suitor Guy - Edappally'],
    ['SuitorGuy Trichur', 'Suitor Guy - Thrissur'],
    ['suitor guy -  MG   Road', 'Suitor Guy - MG Road'],
    ['Zurocci Edappal', 'Zorucci - Edappal'],
    ['Z. Edappally', 'Zorucci - Edappally'],
    ['ZORUCCI KOTTAKKAL', 'Zorucci - Kottakkal'],
    ['Suitor Guy - Somewhere New', 'Suitor Guy - Somewhere New'],
  ])('written %s is %s', (written, store) => {
    expect(findStore(written)).toBe(store);
  });

  test.each(['Mumbai', 'SG', 'SG Mumbai', 'Kottayam', '', 'Z MG Road'])(
    "written '%s' is known to nobody",
    (written) => {
      expect(findStore(written)).toBeNull();
    },
  );

  test('is found in the name of a file', () => {
    expect(findStoreIn('Walk-ins SG Kottayam Nov 2026.csv')).toBe('Suitor Guy - Kottayam');
    expect(findStoreIn('loss_of_sale_zurocci_edappal.xlsx')).toBe('Zorucci - Edappal');
    expect(findStoreIn('november.csv')).toBeNull();
  });

  test('of every known location is found by its own name, and none is there twice', () => {
    for (const { store } of KNOWN_LOCATIONS) expect(findStore(store)).toBe(store);
    expect(new Set(KNOWN_LOCATIONS.map(({ id }) => id)).size).toBe(20);
    expect(new Set(KNOWN_LOCATIONS.map(({ store }) => store)).size).toBe(20);
  });
});

describe('the days to ask for', () => {
  const today = '2026-11-23';
  const run = { window: null, full: false, today };

  test('are a year the first time, and again when everything is asked for', () => {
    const year = { dateFrom: '', dateTo: '', months: 12 };
    expect(daysToAsk(run, undefined, 7)).toEqual(year);
    expect(daysToAsk({ ...run, full: true }, today, 7)).toEqual(year);
  });

  test('are the last seven once it was read today, and more after a pause', () => {
    expect(daysToAsk(run, today, 7)).toEqual({ dateFrom: '2026-11-16', dateTo: today, months: 1 });
    expect(daysToAsk(run, '2026-09-23', 7)).toEqual({ dateFrom: '2026-09-16', dateTo: today, months: 3 });
  });

  test('of a run for an earlier day end there', () => {
    expect(daysToAsk({ ...run, today: '2026-11-01' }, today, 7)).toEqual({
      dateFrom: '2026-10-25',
      dateTo: '2026-11-01',
      months: 1,
    });
  });

  test('are those that the run names, the last one included', () => {
    const window = { from: '2026-01-01', to: '2026-03-01' };
    expect(daysToAsk({ ...run, window }, today, 7)).toEqual({
      dateFrom: '2026-01-01',
      dateTo: '2026-02-28',
      months: 2,
    });
  });
});

test('work in any order keeps to the limit and gives each result once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(3), { maxLength: 20 }),
      fc.integer({ min: 1, max: 6 }),
      async (waits, atOnce) => {
        let running = 0;
        let most = 0;
        const items = waits.map((ms, index) => ({ ms, index }));
        const seen: number[] = [];
        const work = async ({ ms, index }: (typeof items)[number]): Promise<number> => {
          running += 1;
          most = Math.max(most, running);
          await new Promise((resolve) => setTimeout(resolve, ms));
          running -= 1;
          return index;
        };
        for await (const index of inAnyOrder(items, atOnce, work)) seen.push(index);
        expect(seen.sort((a, b) => a - b)).toEqual(items.map(({ index }) => index));
        expect(most).toBeLessThanOrEqual(atOnce);
      },
    ),
    { numRuns: 30 },
  );
});
