import { type Brand, KNOWN_LOCATIONS, storeOf } from './locations.ts';

/** How people and lists write the brands, letters only. */
const BRAND_SPELLINGS: Readonly<Record<Brand, RegExp>> = {
  suitor: /^(suitorguy|suitorguys|suiterguy|suitor|sg)/,
  zorucci: /^(zorucci|zurocci|zurucci|zoruci|zorucchi|zoruchi|zorrucci|z)/,
};

/** Other spellings of branches, letters only. */
const BRANCH_SPELLINGS: Readonly<Record<string, string>> = {
  edapally: 'Edappally',
  edappaly: 'Edappally',
  edapal: 'Edappal',
  edappaal: 'Edappal',
  thiruvananthapuram: 'Trivandrum',
  tvm: 'Trivandrum',
  trichur: 'Thrissur',
  trissur: 'Thrissur',
  thrissoor: 'Thrissur',
  kozhikode: 'Calicut',
  vadakara: 'Vatakara',
  badagara: 'Vatakara',
  chavakad: 'Chavakkad',
  perumbavur: 'Perumbavoor',
  perinthalmana: 'Perinthalmanna',
  pmna: 'Perinthalmanna',
  kottakal: 'Kottakkal',
  palghat: 'Palakkad',
  cannanore: 'Kannur',
  mgrd: 'MG Road',
  mgroad: 'MG Road',
};

const letters = (text: string): string => text.toLowerCase().replace(/[^a-z]/g, '');

const BY_LETTERS = new Map(KNOWN_LOCATIONS.map(({ store }) => [letters(store), store]));
const BRANCHES = new Map(
  KNOWN_LOCATIONS.map(({ store }) => store.slice(store.indexOf(' - ') + 3)).map((name) => [
    letters(name),
    name,
  ]),
);

/** A store whose name is written in full is taken as it is: the store list may hold more than the known ones. */
const FULL_NAME = /^(Suitor Guy|Zorucci) - \S/;

/** The store that a name in any spelling means, such as 'SG Edapally' or 'Zurocci-Edappal'; null for one nobody knows. */
export function findStore(name: string): string | null {
  const single = name.trim().replaceAll(/\s+/g, ' ');
  if (FULL_NAME.test(single)) return BY_LETTERS.get(letters(single)) ?? single;
  const written = letters(single);
  for (const brand of ['suitor', 'zorucci'] as const) {
    const start = BRAND_SPELLINGS[brand].exec(written)?.[0];
    if (start === undefined) continue;
    const branch = written.slice(start.length);
    const known = BRANCHES.get(branch) ?? BRANCH_SPELLINGS[branch];
    if (known !== undefined) return BY_LETTERS.get(letters(storeOf(brand, known))) ?? null;
  }
  return null;
}

/** How the store of a location of the store list is called: a known name, or the list's own, tidied. */
export const storeName = (listed: string): string =>
  findStore(listed) ?? listed.trim().replaceAll(/\s+/g, ' ');

/** The store that some words of a text name, such as a file's name; null when none do. */
export function findStoreIn(text: string): string | null {
  const words = text.split(/[^A-Za-z]+/).filter((word) => word !== '');
  for (let length = words.length; length > 1; length -= 1) {
    for (let start = 0; start + length <= words.length; start += 1) {
      const found = findStore(words.slice(start, start + length).join(' '));
      if (found !== null) return found;
    }
  }
  return null;
}
