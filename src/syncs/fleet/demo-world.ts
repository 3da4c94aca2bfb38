import { fraction } from './demo-random.ts';

export const FLEET_FEEDS = [
  'vehicles',
  'media_partners',
  'loan_history',
  'current_activity',
  'approved_makes',
  'budget_spending',
] as const;
export type FleetFeed = (typeof FLEET_FEEDS)[number];

/** Everything that a demo row depends on, besides its feed and its place there. */
export interface DemoWorld {
  readonly seed: number;
  /** Nights since 1 January 2026, the date of night 0. */
  readonly night: number;
  /** The share of rows that differ from one night to the next, 0 to 1. */
  readonly changedShare: number;
  /** Rows of each feed, the same every night. */
  readonly rows: Readonly<Record<FleetFeed, number>>;
}

/** Where a row of a feed stands in its life. A row of a new generation has a key of its own. */
export interface RowLife {
  readonly version: number;
  readonly generation: number;
  /** The night of its last change; at or before 0 while it has not changed. */
  readonly since: number;
}

const ROWS_SEEN: DemoWorld['rows'] = {
  vehicles: 979,
  media_partners: 592,
  loan_history: 10_806,
  current_activity: 1_122,
  approved_makes: 4_715,
  budget_spending: 80,
};

/**
 * Every n-th row is replaced by a new one when its turn to change comes; the others are updated. However
 * many nights apart two exports are, no larger share can have vanished, so no guard holds the demo.
 * Budgets have no new keys.
 */
const REPLACED_EVERY: Readonly<Record<FleetFeed, number>> = {
  vehicles: 8,
  media_partners: 8,
  loan_history: 8,
  current_activity: 2,
  approved_makes: 8,
  budget_spending: Infinity,
};

/** @throws RangeError for a scale, night or share that no export can be made for */
export function createWorld(scale: number, seed: number, night: number, changedShare: number): DemoWorld {
  if (!(scale > 0 && scale <= 1000))
    throw new RangeError(`scale must be above 0 and at most 1000, not ${scale}`);
  if (!Number.isInteger(night) || night < 0) throw new RangeError(`night must be 0, 1, 2, ..., not ${night}`);
  if (!(changedShare >= 0 && changedShare <= 1)) {
    throw new RangeError(`changedShare must be between 0 and 1, not ${changedShare}`);
  }
  const scaled = (rows: number) => Math.max(1, Math.round(rows * scale));
  const rows = {
    vehicles: scaled(ROWS_SEEN.vehicles),
    media_partners: scaled(ROWS_SEEN.media_partners),
    loan_history: scaled(ROWS_SEEN.loan_history),
    current_activity: scaled(ROWS_SEEN.current_activity),
    approved_makes: scaled(ROWS_SEEN.approved_makes),
    // Offices, fleets and quarters are what they are, however large the fleet.
    budget_spending: ROWS_SEEN.budget_spending,
  };
  return { seed, night, changedShare, rows };
}

/** Computed for any night without looking at the nights before it. */
export function lifeOf(world: DemoWorld, feed: FleetFeed, index: number): RowLife {
  const { changedShare, night } = world;
  const start = fraction(world.seed, FLEET_FEEDS.indexOf(feed), index);
  const version = Math.floor(night * changedShare + start);
  const since = changedShare === 0 ? 0 : Math.ceil((version - start) / changedShare);
  return { version, generation: isReplaced(feed, index) ? version : 0, since };
}

const isReplaced = (feed: FleetFeed, index: number): boolean =>
  index % REPLACED_EVERY[feed] === REPLACED_EVERY[feed] - 1;

/** How many rows of a feed are never replaced: other feeds refer to these alone. */
export const lastingRows = (world: DemoWorld, feed: FleetFeed): number =>
  world.rows[feed] - Math.floor(world.rows[feed] / REPLACED_EVERY[feed]);

/** The place in its feed of the n-th row that is never replaced. */
export const lastingRow = (feed: FleetFeed, n: number): number =>
  n + Math.floor(n / (REPLACED_EVERY[feed] - 1));
