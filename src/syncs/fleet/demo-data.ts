import { DEMO_FEEDS } from './demo-feeds.ts';
import { csvLine } from './demo-format.ts';
import { createWorld } from './demo-world.ts';
import type { FleetFeed } from './demo-world.ts';

export interface FleetExportOptions {
  /** 1 is the size of the real exports, 18,214 rows in five feeds; 100 makes 1.82 million. Above 0, up to 1000. */
  readonly scale?: number;
  readonly seed?: number;
  /** Nights since 1 January 2026: 0, 1, 2, ... */
  readonly night?: number;
  /** The share of rows that differ from the night before, 0 to 1: most are updated, some replaced by new ones. */
  readonly changedShare?: number;
  /** Starts with a header row, which the real exports don't have. */
  readonly header?: boolean;
  /** Adds this many rows that break a rule, labelled as such. */
  readonly badRows?: number;
}

/**
 * One nightly export of the demo's fleet, line by line, each with its line end. The same options always make
 * the same text, on any machine; nothing is kept between lines. Names, notes and affiliations say that it is
 * demo data.
 *
 * @throws RangeError at once, for an option out of range
 */
export function fleetExport(feed: FleetFeed, options: FleetExportOptions = {}): Iterable<string> {
  const { scale = 1, seed = 1, night = 0, changedShare = 0.01, header = false, badRows = 0 } = options;
  const world = createWorld(scale, seed, night, changedShare);
  const { columns, cells, badCells } = DEMO_FEEDS[feed];

  function* lines(): Generator<string, void, undefined> {
    if (header) yield csvLine(columns);
    for (let index = 0; index < world.rows[feed]; index += 1) yield csvLine(cells(world, index));
    for (let number = 1; number <= badRows; number += 1) yield csvLine(badCells(number));
  }
  return lines();
}
