import { vinCheckDigit } from '../../domain/vin-check-digit.ts';

const LETTERS = 'ABCDEFGHJKLMNPRSTUVWXYZ';
/** Model years 2010 to 2039. */
const YEARS = 'ABCDEFGHJKLMNPRSTVWXY123456789';
/** Has no common factor with 1,000,000, so that consecutive numbers get scattered and distinct serials. */
const SCATTER = 387_961;

/**
 * A VIN with a valid check digit, distinct for every (number, generation).
 *
 * @param prefix the maker's first three characters
 * @param look any number: decides the characters that describe the car and its plant
 * @param number 0 to 999,999
 * @param generation 0 to 528
 */
export function demoVin(
  prefix: string,
  look: number,
  year: number,
  number: number,
  generation: number,
): string {
  const letter = (value: number) => LETTERS.charAt(value % LETTERS.length);
  const car = letter(look) + letter(look >>> 5) + String((look >>> 10) % 10);
  const distinct = letter(generation) + letter(Math.floor(generation / LETTERS.length));
  const serial = String((number * SCATTER) % 1_000_000).padStart(6, '0');
  const head = prefix + car + distinct;
  const tail = YEARS.charAt((year - 2010) % YEARS.length) + letter(look >>> 15) + serial;
  return head + vinCheckDigit(`${head}0${tail}`) + tail;
}
