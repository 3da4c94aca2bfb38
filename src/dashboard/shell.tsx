import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Session } from './api-types.ts';
import { Icon, type IconName } from './components/icons.tsx';
import { Badge } from './components/status.tsx';
import { capital, who } from './format.ts';
import { live } from './live.ts';
import { Link } from './router.tsx';
import { logOut } from './session.ts';
import { useStore } from './store.ts';
import { useApi } from './use-api.ts';

const PAGES: readonly { readonly to: string; readonly name: string; readonly icon: IconName }[] = [
  { to: '/', name: 'Overview', icon: 'overview' },
  { to: '/runs', name: 'Runs', icon: 'runs' },
  { to: '/clients', name: 'Clients', icon: 'clients' },
  { to: '/quarantine', name: 'Quarantine', icon: 'quarantine' },
  { to: '/schedules', name: 'Schedules', icon: 'schedules' },
  { to: '/health', name: 'Health', icon: 'health' },
];

interface ShellProps {
  readonly session: Session;
  readonly path: string;
  readonly children: ComponentChildren;
}

/** What stands around every page: where to go, who is here, and whether the page is live. */
export function Shell({ session, path, children }: ShellProps) {
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [path]);
  return (
    <div class="shell">
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <header class="bar">
        <Link to="/" class="brand">
          <img src="/favicon.svg" alt="" width="24" height="24" />
          Durasync
        </Link>
        {session.mode === 'demo' && <Badge>Demo</Badge>}
        <button
          type="button"
          class="menu-button quiet"
          aria-expanded={open}
          aria-controls="menu"
          aria-label="Menu"
          onClick={() => setOpen(!open)}
        >
          <Icon name="menu" />
        </button>
      </header>
      <div id="menu" class={open ? 'menu open' : 'menu'}>
        <nav aria-label="Pages">
          <ul>
            {PAGES.map(({ to, name, icon }) => (
              <li key={to}>
                <Link to={to} aria-current={isAt(path, to) ? 'page' : undefined}>
                  <Icon name={icon} />
                  {name}
                  {to === '/runs' && <HeldCount />}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <section class="person" aria-label="Your login">
          <Connection />
          <p>
            {who(session.actor)} <span class="muted">· {capital(session.role)}</span>
          </p>
          <button type="button" class="quiet" onClick={() => void logOut()}>
            Log out
          </button>
        </section>
      </div>
      {children}
    </div>
  );
}

const isAt = (path: string, to: string): boolean =>
  to === '/' ? path === '/' || path.startsWith('/syncs/') : path === to || path.startsWith(`${to}/`);

function HeldCount() {
  const { data } = useApi('/api/runs', '/api/runs?status=held&limit=100', ['runs']);
  if (!data || data.length === 0) return null;
  return (
    <Badge tone="warn">
      {data.length}
      <span class="hidden"> waiting for a decision</span>
    </Badge>
  );
}

function Connection() {
  const { connection } = useStore(live);
  switch (connection) {
    case 'live':
      return <p class="status good">Live</p>;
    case 'connecting':
      return <p class="status calm">Connecting…</p>;
    case 'lost':
      return <p class="status warn">Connection lost; trying again</p>;
  }
}
