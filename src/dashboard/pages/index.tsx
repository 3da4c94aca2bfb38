import type { ComponentChildren } from 'preact';
import { Empty, Page } from '../components/page.tsx';
import { Link } from '../router.tsx';
import { Health } from './health.tsx';
import { ClientPage } from './client.tsx';
import { Clients } from './clients.tsx';
import { Overview } from './overview.tsx';
import { Quarantine } from './quarantine.tsx';
import { RunPage } from './run.tsx';
import { Runs } from './runs.tsx';
import { Schedules } from './schedules.tsx';
import { SyncPage } from './sync.tsx';

/** The page at an address. The server knows the same addresses (src/http/dashboard-files.ts). */
export function pageFor(path: string): ComponentChildren {
  const [, page = '', id] = path.split('/').map(decode);
  switch (page) {
    case '':
      return <Overview />;
    case 'runs':
      return id === undefined ? <Runs /> : <RunPage key={id} id={id} />;
    case 'syncs':
      return id === undefined ? <Overview /> : <SyncPage key={id} name={id} />;
    case 'clients':
      return id === undefined ? <Clients /> : <ClientPage key={id} id={id} />;
    case 'quarantine':
      return <Quarantine />;
    case 'schedules':
      return <Schedules />;
    case 'health':
      return <Health />;
    default:
      return (
        <Page title="Not found">
          <Empty title={`There is no page at ${path}`}>
            Go to the <Link to="/">overview</Link>.
          </Empty>
        </Page>
      );
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
