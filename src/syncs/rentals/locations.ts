/** A location of the rental software and the store it stands for. */
export interface Location {
  readonly id: string;
  readonly store: string;
}

const BRANDS = { suitor: 'Suitor Guy', zorucci: 'Zorucci' } as const;
export type Brand = keyof typeof BRANDS;

export const storeOf = (brand: Brand, branch: string): string => `${BRANDS[brand]} - ${branch}`;

const location = (id: number, brand: Brand, branch: string): Location => ({
  id: String(id),
  store: storeOf(brand, branch),
});

/** The locations that are called whether or not the store list shows them. */
export const KNOWN_LOCATIONS: readonly Location[] = [
  location(1, 'zorucci', 'Edappally'),
  location(3, 'suitor', 'Edappally'),
  location(5, 'suitor', 'Trivandrum'),
  location(6, 'zorucci', 'Edappal'),
  location(7, 'zorucci', 'Perinthalmanna'),
  location(8, 'zorucci', 'Kottakkal'),
  location(9, 'suitor', 'Kottayam'),
  location(10, 'suitor', 'Perumbavoor'),
  location(11, 'suitor', 'Thrissur'),
  location(12, 'suitor', 'Chavakkad'),
  location(13, 'suitor', 'Calicut'),
  location(14, 'suitor', 'Vatakara'),
  location(15, 'suitor', 'Edappal'),
  location(16, 'suitor', 'Perinthalmanna'),
  location(17, 'suitor', 'Kottakkal'),
  location(18, 'suitor', 'Manjeri'),
  location(19, 'suitor', 'Palakkad'),
  location(20, 'suitor', 'Kalpetta'),
  location(21, 'suitor', 'Kannur'),
  location(23, 'suitor', 'MG Road'),
];
