import type { Guards } from '../domain/run-plan.ts';

const DEFAULT_GUARDS: Guards = { missingShare: 0.2, quarantineShare: 0.1, growthShare: 2 };

/**
 * The guards of a run: the share of rows that may be missing grows with the periods since the last complete
 * run, up to double, because a longer pause sees more rows go.
 *
 * @param sinceCompleteMs time since the last complete run, or null when there was none
 */
export function guardsFor(
  guards: Partial<Guards> | undefined,
  periodMs: number,
  sinceCompleteMs: number | null,
): Guards {
  const base = { ...DEFAULT_GUARDS, ...guards };
  const periods = sinceCompleteMs === null ? 1 : Math.min(2, Math.max(1, sinceCompleteMs / periodMs));
  return { ...base, missingShare: Math.min(1, base.missingShare * periods) };
}
