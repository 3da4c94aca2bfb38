import { hash } from '../fleet/demo-random.ts';

export interface DemoShop {
  readonly domain: string;
  readonly name: string;
  /** Everything about the shop follows from this and the time. */
  readonly seed: number;
  readonly things: readonly string[];
}

/** Two made-up shops. Their Admin API takes every access token that begins with `demo-`. */
export const DEMO_SHOPS: readonly DemoShop[] = [
  {
    domain: 'trailhead-demo.myshopify.com',
    name: 'Trailhead Outfitters (demo)',
    seed: 1,
    things: [
      'Rain Jacket',
      'Day Pack',
      'Wool Socks',
      'Head Lamp',
      'Trail Shoes',
      'Fleece',
      'Water Bottle',
      'Cap',
    ],
  },
  {
    domain: 'kettle-demo.myshopify.com',
    name: 'Kettle and Crumb (demo)',
    seed: 2,
    things: [
      'Stoneware Mug',
      'Tea Pot',
      'Bread Board',
      'Apron',
      'Cake Tin',
      'Whisk',
      'Linen Towel',
      'Salt Cellar',
    ],
  },
];

const COLOURS = ['Moss', 'Slate', 'Sand', 'Rust', 'Ocean'];
const SIZES = ['XXS', 'XS', 'S', 'M', 'L', 'XL', 'XXL', 'Wide', 'Narrow', 'Tall', 'Short', 'Kids'];
const REVISED_EVERY_MS = 10 * 86_400_000;

export interface DemoVariant {
  readonly id: number;
  readonly itemId: number;
  readonly title: string;
  readonly sku: string;
  readonly priceCents: number;
}

export interface DemoProduct {
  readonly id: number;
  readonly title: string;
  /** When its prices last changed. */
  readonly revisedAtMs: number;
  readonly variants: readonly DemoVariant[];
}

/** Forty products as they were at that time; about four of them get new prices every day. */
export function catalogueAt({ seed, things }: DemoShop, atMs: number): DemoProduct[] {
  return COLOURS.flatMap((colour) => things.map((thing) => `${colour} ${thing}`)).map((title, index) => {
    const id = seed * 1_000_000 + index * 100;
    const shiftMs = hash(seed, index) % REVISED_EVERY_MS;
    const revision = Math.floor((atMs - shiftMs) / REVISED_EVERY_MS);
    // The first one has more variants than a page brings along.
    const variants = index === 0 ? SIZES.length : 1 + (hash(seed, index, 1) % 4);
    return {
      id,
      title,
      revisedAtMs: revision * REVISED_EVERY_MS + shiftMs,
      variants: SIZES.slice(0, variants).map((size, number) => ({
        id: id + number + 1,
        itemId: id + number + 1,
        title: variants === 1 ? 'Default Title' : size,
        sku: `DEMO-${seed}-${String(index + 1).padStart(2, '0')}-${number + 1}`,
        priceCents: 900 + (hash(seed, index, 2) % 90) * 100 + (hash(seed, index, revision) % 4) * 50,
      })),
    };
  });
}
