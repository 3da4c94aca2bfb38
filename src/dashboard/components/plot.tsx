import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { moment } from '../format.ts';

interface PlotProps {
  readonly title: string;
  /** Seconds since 1970, rising. */
  readonly times: readonly number[];
  readonly values: readonly number[];
  readonly show: (value: number) => string;
  /** Counts have no halves. */
  readonly whole?: true;
}

const HEIGHT = 150;
const DAY_SECONDS = 86_400;
const clock = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const day = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric' });
/** Pointing at one plot shows the same run in the others. */
const cursor = uPlot.sync('runs');
const dark = matchMedia('(prefers-color-scheme: dark)');

/** A value of each run over time. The line above it tells the run that is pointed at, else the last one. */
export function Plot({ title, times, values, show, whole }: PlotProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [index, setIndex] = useState<number>();
  const [scheme, setScheme] = useState(dark.matches);
  useEffect(() => {
    const update = (): void => setScheme(dark.matches);
    dark.addEventListener('change', update);
    return () => dark.removeEventListener('change', update);
  }, []);
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const plot = new uPlot(options(element, { show, whole }, setIndex), [[...times], [...values]], element);
    const watch = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [times.join(), values.join(), scheme]);
  const shown = index ?? values.length - 1;
  const most = Math.max(...values);
  return (
    <figure class="plot">
      <figcaption>
        <span class="plot-title">{title}</span>
        <span class="plot-value">{show(values[shown] ?? 0)}</span>
        <span class="muted">{moment(new Date((times[shown] ?? 0) * 1000).toISOString())}</span>
      </figcaption>
      <div
        ref={frame}
        role="img"
        aria-label={`${title} of the last ${values.length} runs: from ${show(Math.min(...values))} to ${show(most)}`}
      />
    </figure>
  );
}

function options(
  element: HTMLElement,
  { show, whole }: Pick<PlotProps, 'show' | 'whole'>,
  point: (index?: number) => void,
): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const font = `11px ${style.fontFamily}`;
  const axis = {
    font,
    stroke: colour('--muted'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    padding: [8, 20, 0, 0],
    cursor: { sync: { key: cursor.key }, y: false, drag: { x: false, y: false }, points: { size: 8 } },
    hooks: { setCursor: [({ cursor: { idx } }) => point(idx ?? undefined)] },
    scales: { y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.1 : 1] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 64,
        size: 26,
        values: (_plot, splits, _axis, _space, step) =>
          splits.map((at) => (step < DAY_SECONDS ? clock : day).format(at * 1000)),
      },
      {
        ...axis,
        size: 70,
        space: 36,
        values: (_plot, splits) => splits.map((at) => (whole && !Number.isInteger(at) ? '' : show(at))),
      },
    ],
    series: [
      {},
      {
        stroke: colour('--accent'),
        width: 1.5,
        fill: colour('--accent-faint'),
        points: { show: element.clientWidth / 14 > 8, size: 4, fill: colour('--accent') },
      },
    ],
  };
}
