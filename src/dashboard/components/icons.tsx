import type { ComponentChildren } from 'preact';

const PATHS = {
  overview: 'M3 11l7-7 7 7M5.5 9.5V16h9V9.5',
  runs: 'M4 5h12M4 10h12M4 15h7',
  clients: 'M4 8l1-4h10l1 4M4 8v8h12V8M4 8h12M8 16v-4h4v4',
  quarantine: 'M10 3l7 13H3zM10 8v4M10 14v.2',
  schedules: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM10 6v4l3 2',
  uploads: 'M10 13V4M6.5 7.5L10 4l3.5 3.5M4 13v3h12v-3',
  backups:
    'M4 6c0-1.7 2.7-2.5 6-2.5s6 .8 6 2.5-2.7 2.5-6 2.5S4 7.700 4 6zM4 6v8c0 1.700 2.700 2.500 6 2.500s6-.8 6-2.500V6M4 10c0 1.700 2.700 2.500 6 2.500s6-.8 6-2.500',
  health: 'M3 10h3l2-5 4 10 2-5h3',
  audit: 'M6 3h6l3 3v11H6zM12 3v3h3M8.500 10h4M8.500 13h4',
  check: 'M5 10.500l3.500 3.500L15 7',
  outside: 'M8 5H5v10h10v-3M11 4h5v5M16 4l-7 7',
  menu: 'M3 6h14M3 10h14M3 14h14',
} as const;

export type IconName = keyof typeof PATHS;

/** A small line drawing beside a text; it says nothing by itself. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** A link that leaves the dashboard. */
export function OutsideLink({
  href,
  children,
}: {
  readonly href: string;
  readonly children: ComponentChildren;
}) {
  return (
    <a class="outside" href={href} target="_blank" rel="noreferrer noopener">
      {children}
      <Icon name="outside" />
      <span class="hidden"> (opens a new tab)</span>
    </a>
  );
}
