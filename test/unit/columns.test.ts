import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
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
} from '../../src/syncs/columns.ts';

type Schema = ReturnType<typeof text>;

function read(schema: Schema, cell: string | undefined): string | null {
  return schema.parse(cell);
}

function refusal(schema: Schema, cell: string): string | undefined {
  const parsed = schema.safeParse(cell);
  return parsed.success ? undefined : parsed.error.issues[0]?.message;
}

const every: readonly (readonly [string, Schema])[] = [
  ['text', text()],
  ['keyText', keyText()],
  ['identifier', identifier()],
  ['vin', vin()],
  ['integer', integer()],
  ['money', money()],
  ['oneOf', oneOf('A', 'B')],
  ['upperCase', upperCase()],
  ['date', date()],
  ['month', month()],
];

describe('every column', () => {
  test.each(every)(
    '%s reads blank, N/A, n/a and NULL as null, and refuses them when required',
    (_name, schema) => {
      for (const cell of [undefined, '', '   ', '\t', 'N/A', 'n/a', 'NULL', ' N/A ']) {
        expect(read(schema, cell)).toBeNull();
        expect(required(schema).safeParse(cell).error?.issues[0]?.message).toBe('is required and blank here');
      }
    },
  );

  test('text is trimmed and otherwise stays as it is', () => {
    expect(read(text(), '  Clean, "charged"  ')).toBe('Clean, "charged"');
    expect(read(text(), 'null')).toBe('null');
  });

  test('a refusal shows at most the first 80 characters of the value', () => {
    expect(refusal(integer(), 'x'.repeat(500))).toBe(`'${'x'.repeat(80)}…' is not a whole number`);
  });
});

describe('ids', () => {
  test.each([
    ['1234.0', '1234'],
    ['1234.00', '1234'],
    ['1234', '1234'],
    ['10.5', '10.5'],
    ['A-17.0', 'A-17'],
    ['100', '100'],
    ['.0', '.0'],
  ])('%s is %s', (cell, id) => {
    expect(read(identifier(), cell)).toBe(id);
  });

  test('a VIN is trimmed and upper-cased', () => {
    expect(read(vin(), ' wauzzz8k9ba1 ')).toBe('WAUZZZ8K9BA1');
  });

  test('text that is too long for a key is refused', () => {
    for (const schema of [keyText(), identifier(), vin(), upperCase()]) {
      expect(read(schema, 'x'.repeat(200))).toHaveLength(200);
      expect(refusal(schema, 'x'.repeat(201))).toBeDefined();
    }
  });
});

describe('numbers', () => {
  test.each([
    ['45,210', '45210'],
    ['2,025', '2025'],
    ['1,234,567', '1234567'],
    ['7.0', '7'],
    ['-3', '-3'],
    ['0', '0'],
    ['2147483647', '2147483647'],
  ])('%s is the whole number %s', (cell, number) => {
    expect(read(integer(), cell)).toBe(number);
  });

  test.each(['12.5', 'soon', '2147483648', '99999999999', '1e3', '--1', '12 000', '0x10', ','])(
    '%s is no whole number',
    (cell) => {
      expect(refusal(integer(), cell)).toBe(`'${cell}' is not a whole number`);
    },
  );

  test.each([
    ['1,234.50', '1234.50'],
    ['$1,234.5', '1234.5'],
    ['-$20', '-20'],
    ['0', '0'],
    ['12.5000', '12.5000'],
  ])('%s is the amount %s', (cell, amount) => {
    expect(read(money(), cell)).toBe(amount);
  });

  test.each(['12.345', '1.2.3', 'free', '$', '1234567890123'])('%s is no amount', (cell) => {
    expect(refusal(money(), cell)).toContain('is not an amount of money');
  });
});

describe('closed sets and spellings', () => {
  test('a rank is matched without regard to case, and D is none', () => {
    const rank = oneOf('A+', 'A', 'B', 'C', 'Pending');
    expect(['a+', 'B', 'PENDING'].map((cell) => read(rank, cell))).toEqual(['A+', 'B', 'Pending']);
    expect(refusal(rank, 'D')).toBe("'D' is not one of A+, A, B, C, Pending");
  });

  test('fleets are upper-cased and short names written out', () => {
    const fleetName = upperCase({ VW: 'VOLKSWAGEN', CHEVY: 'CHEVROLET', CHEV: 'CHEVROLET' });
    expect(['vw', 'Chevy', 'CHEV', 'Audi'].map((cell) => read(fleetName, cell))).toEqual([
      'VOLKSWAGEN',
      'CHEVROLET',
      'CHEVROLET',
      'AUDI',
    ]);
  });
});

describe('dates', () => {
  test.each([
    ['01/31/26', '2026-01-31'],
    ['1/5/2027', '2027-01-05'],
    ['03-02-26', '2026-03-02'],
    ['03-02-2026', '2026-03-02'],
    ['2026-03-02', '2026-03-02'],
    ['12/31/69', '2069-12-31'],
    ['01/01/70', '1970-01-01'],
    ['02/29/24', '2024-02-29'],
    ['02/29/2000', '2000-02-29'],
    [' 04/30/26 ', '2026-04-30'],
  ])('%s is %s', (cell, day) => {
    expect(read(date(), cell)).toBe(day);
  });

  test.each([
    '02/30/26',
    '02/29/25',
    '02/29/1900',
    '13/01/26',
    '00/10/26',
    '01/00/26',
    '04/31/26',
    '01-31/26',
    '1/5/123',
    '2026-13-01',
    '0000-01-01',
    '26-01-31-1',
    'tomorrow',
    '3/2024',
  ])('%s is no date', (cell) => {
    expect(refusal(date(), cell)).toContain('is not a date of the calendar');
  });

  test('every day of the calendar reads the same in all its forms, and no other day exists', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1970, max: 2069 }),
        fc.integer({ min: 0, max: 13 }),
        fc.integer({ min: 0, max: 32 }),
        (year, m, d) => {
          const [mm, dd, yy] = [m, d, year % 100].map((part) => String(part).padStart(2, '0'));
          const real = new Date(Date.UTC(year, m - 1, d));
          const exists = real.getUTCMonth() === m - 1 && real.getUTCDate() === d;
          const forms = [
            `${mm}/${dd}/${yy}`,
            `${mm}-${dd}-${yy}`,
            `${m}/${d}/${year}`,
            `${mm}-${dd}-${year}`,
            `${year}-${mm}-${dd}`,
          ];
          for (const form of forms) {
            const parsed = date().safeParse(form);
            expect(parsed.success ? parsed.data : 'refused').toBe(exists ? `${year}-${mm}-${dd}` : 'refused');
          }
        },
      ),
    );
  });

  test.each([
    ['3/2024', '2024-03-01'],
    ['12/2019', '2019-12-01'],
    ['03-2024', '2024-03-01'],
    ['03/15/24', '2024-03-15'],
  ])('the month %s is %s', (cell, day) => {
    expect(read(month(), cell)).toBe(day);
  });

  test.each(['13/2024', '0/2024', '3/24', 'March 2024'])('%s is no month', (cell) => {
    expect(refusal(month(), cell)).toBe(`'${cell}' is not a month (M/YYYY)`);
  });
});
