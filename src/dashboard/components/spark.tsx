import { duration, plural, words } from '../format.ts';
import type { Sync } from '../api-types.ts';
import { toneOf } from './status.tsx';

const WIDTH = 5;
const GAP = 2;
const HEIGHT = 28;
const SHOWN = 24;

/** The last runs as small bars: as high as they took long, in the colour of how they ended. */
export function Spark({ runs }: { readonly runs: Sync['recent_runs'] }) {
  const shown = runs.slice(0, SHOWN).reverse();
  const longest = Math.max(...shown.map((run) => run.duration_seconds ?? 0), 0.001);
  const bad = shown.filter(({ status }) => toneOf(status) === 'bad').length;
  const label = `The last ${plural(shown.length, 'run')}: longest ${duration(longest)}, ${bad} failed`;
  return (
    <svg
      class="spark"
      role="img"
      aria-label={label}
      viewBox={`0 0 ${SHOWN * (WIDTH + GAP)} ${HEIGHT}`}
      width={SHOWN * (WIDTH + GAP)}
      height={HEIGHT}
    >
      {shown.map(({ run_id, status, duration_seconds }, index) => {
        const height = Math.max(3, Math.sqrt((duration_seconds ?? 0) / longest) * HEIGHT);
        const x = (SHOWN - shown.length + index) * (WIDTH + GAP);
        return (
          <rect
            key={run_id}
            class={toneOf(status)}
            x={x}
            y={HEIGHT - height}
            width={WIDTH}
            height={height}
            rx="1.5"
          >
            <title>{`${words(status)}, ${duration(duration_seconds)}`}</title>
          </rect>
        );
      })}
    </svg>
  );
}
