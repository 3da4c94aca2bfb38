/** A character's value is its place in this text modulo 10 (49 CFR 565.15); VINs have no I, O and Q. */
const BY_VALUE = '0123456789.ABCDEFGH..JKLMN.P.R..STUVWXYZ';
const WEIGHTS = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
const VIN = /^[A-HJ-NPR-Z0-9]{17}$/;
const CHECK_DIGIT_AT = 8;

/** The ninth character of a vehicle identification number, computed from the other sixteen. */
export function vinCheckDigit(vin: string): string {
  const sum = WEIGHTS.reduce(
    (total, weight, at) => total + weight * (BY_VALUE.indexOf(vin.charAt(at)) % 10),
    0,
  );
  return sum % 11 === 10 ? 'X' : String(sum % 11);
}

/** Whether an upper-case VIN has the right form and check digit. Cars made for some countries never have one. */
export const isValidVin = (vin: string): boolean =>
  VIN.test(vin) && vin.charAt(CHECK_DIGIT_AT) === vinCheckDigit(vin);
