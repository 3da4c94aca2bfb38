import { query } from '../api.ts';
import type { AuditPage } from '../api-types.ts';
import { Filters, TextFilter, useFilters } from '../components/filters.tsx';
import { Empty, Page, With } from '../components/page.tsx';
import { useMore } from '../components/show-more.tsx';
import { DataTable } from '../components/table.tsx';
import { Ago } from '../components/time.tsx';
import { cellText, shortId, who, words } from '../format.ts';
import { Link } from '../router.tsx';
import { useApi } from '../use-api.ts';

const RUN_ID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;

/** Who did what, when, newest first. */
export function Audit() {
  const filters = useFilters(['actor', 'action', 'subject']);
  const { limit, moreButton } = useMore();
  const page = useApi('/api/audit', query('/api/audit', { ...filters, limit }), ['audit']);
  return (
    <Page title="Audit">
      <Filters>
        <TextFilter name="actor" label="Who" placeholder="token:ci" />
        <TextFilter name="action" label="Did" placeholder="approve" />
        <TextFilter name="subject" label="About" placeholder="fleet" />
      </Filters>
      <With loaded={page}>
        {({ entries, next }) =>
          entries.length === 0 ? (
            <Empty title="Nothing is recorded that is like that">
              Whatever changes something, from here, the command line or a program, is listed here.
            </Empty>
          ) : (
            <>
              <AuditTable entries={entries} />
              {moreButton(next !== null)}
            </>
          )
        }
      </With>
    </Page>
  );
}

function AuditTable({ entries }: Pick<AuditPage, 'entries'>) {
  return (
    <DataTable
      label="Audit"
      rows={entries}
      keyOf={({ id }) => id}
      columns={[
        { label: 'When', cell: ({ at }) => <Ago at={at} /> },
        { label: 'Who', cell: ({ actor }) => <span title={actor}>{who(actor)}</span> },
        { label: 'Did', cell: ({ action }) => <span class="strong nowrap">{words(action)}</span> },
        { label: 'About', cell: ({ subject }) => <Subject subject={subject} /> },
        { label: 'More', wide: true, cell: ({ detail }) => <span class="muted">{detailText(detail)}</span> },
      ]}
    />
  );
}

function Subject({ subject }: { readonly subject: string }) {
  if (!RUN_ID.test(subject)) return <>{subject}</>;
  return (
    <Link to={`/runs/${subject}`}>
      run <code>{shortId(subject)}</code>
    </Link>
  );
}

/** What else is known, without ids that say nothing to people. */
const detailText = (detail: Readonly<Record<string, unknown>>): string =>
  Object.entries(detail)
    .filter(([name, value]) => value !== null && value !== undefined && !/Id$|^started$/.test(name))
    .map(([name, value]) =>
      name === 'reason' ? `“${cellText(value)}”` : `${words(name)} ${cellText(value)}`,
    )
    .join(' · ');
