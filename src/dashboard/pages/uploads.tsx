import { useState } from 'preact/hooks';
import { ApiProblem, at, sendForm } from '../api.ts';
import type { StartedImport, UploadKind, UploadPreview } from '../api-types.ts';
import { Action } from '../components/action.tsx';
import { DropZone } from '../components/drop-zone.tsx';
import { Empty, Page, Problem, Section, With } from '../components/page.tsx';
import { Badge } from '../components/status.tsx';
import { DataTable } from '../components/table.tsx';
import { capital, count, plural, words } from '../format.ts';
import { go } from '../router.tsx';
import { useMay } from '../session.ts';
import { useApi } from '../use-api.ts';

/** Files that people have: chosen or dropped, checked and shown, and loaded only then. */
export function Uploads() {
  const kinds = useApi('/api/uploads', '/api/uploads');
  const may = useMay('operator');
  return (
    <Page
      title="Uploads"
      about="A file is checked first: you see which rows cannot be taken before anything is written."
    >
      {may ? (
        <With loaded={kinds}>{(data) => <Upload kinds={data} />}</With>
      ) : (
        <Empty title="Only operators upload files">Ask for a token of the role operator.</Empty>
      )}
    </Page>
  );
}

function Upload({ kinds }: { readonly kinds: readonly UploadKind[] }) {
  const [kind, setKind] = useState(kinds[0]?.kind ?? '');
  const [store, setStore] = useState('');
  const [busy, setBusy] = useState<string>();
  const [preview, setPreview] = useState<UploadPreview>();
  const [problem, setProblem] = useState<ApiProblem>();
  const chosen = kinds.find((each) => each.kind === kind);
  const forget = (): void => {
    setPreview(undefined);
    setProblem(undefined);
  };
  async function check(file: File): Promise<void> {
    forget();
    setBusy(file.name);
    try {
      setPreview(
        await sendForm<UploadPreview>(at('/api/uploads/$/preview', kind), { file, ...named(store) }),
      );
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      setProblem(error);
    } finally {
      setBusy(undefined);
    }
  }
  return (
    <>
      <div class="filters">
        <label class="field inline">
          <span>Kind</span>
          <select
            value={kind}
            onChange={(event) => {
              setKind(event.currentTarget.value);
              forget();
            }}
          >
            {kinds.map((each) => (
              <option key={each.kind} value={each.kind}>
                {capital(words(each.kind.replaceAll('-', ' ')))}
              </option>
            ))}
          </select>
        </label>
        {chosen?.sync === 'rentals' && (
          <label class="field inline">
            <span>Store, for rows that name none</span>
            <input value={store} onInput={(event) => setStore(event.currentTarget.value)} />
          </label>
        )}
      </div>
      <DropZone maxBytes={chosen?.max_bytes ?? 0} busy={busy} onFile={(file) => void check(file)} />
      {problem && <Problem problem={problem} />}
      {preview && <Preview preview={preview} store={store} />}
    </>
  );
}

const named = (store: string): { store?: string } => (store.trim() ? { store: store.trim() } : {});

function Preview({ preview, store }: { readonly preview: UploadPreview; readonly store: string }) {
  const { kind, file, rows, bad_rows: bad, tables, errors, upload_id: id } = preview;
  const load = async (): Promise<string> => {
    const form = { upload_id: id, ...named(store) };
    const started = await sendForm<StartedImport>(at('/api/uploads/$', kind), form);
    go(`/runs/${started.run_id}`);
    return `${file} is being loaded.`;
  };
  return (
    <Section
      title={`What is in ${file}`}
      beside={rows > bad && <Action label={`Load ${plural(rows - bad, 'row')}`} look="primary" act={load} />}
    >
      <dl class="facts">
        {tables.map((table) => (
          <div key={table.table}>
            <dt>{table.table}</dt>
            <dd>
              {plural(table.rows, 'row')}{' '}
              {table.bad_rows > 0 && <Badge tone="bad">{count(table.bad_rows)} bad</Badge>}
            </dd>
          </div>
        ))}
      </dl>
      {bad === 0 ? (
        <p class="after">Every row can be taken.</p>
      ) : (
        <>
          <p class="after">
            {count(bad)} of {plural(rows, 'row')} cannot be taken. The others are loaded; the bad ones go to
            quarantine.
          </p>
          <BadRows errors={errors} />
        </>
      )}
    </Section>
  );
}

function BadRows({ errors }: Pick<UploadPreview, 'errors'>) {
  const cells = errors.flatMap((error) =>
    error.cells.length > 0
      ? error.cells.map((cell) => ({ ...error, ...cell }))
      : [{ ...error, column: null, value: null, problem: error.reasons.join('; '), remedy: '' }],
  );
  return (
    <DataTable
      label="Rows that cannot be taken"
      rows={cells}
      keyOf={(cell) => `${cell.sheet} ${cell.row} ${cell.column} ${cell.problem}`}
      columns={[
        {
          label: 'Where',
          cell: ({ sheet, row }) => `${sheet === null ? '' : `${sheet}, `}row ${count(row)}`,
        },
        { label: 'Column', cell: ({ column }) => column ?? 'whole row' },
        { label: 'Value', cell: ({ value }) => (value === null ? '–' : <del>{value}</del>) },
        { label: 'What is wrong', wide: true, cell: ({ problem }) => problem },
        { label: 'What to do', wide: true, cell: ({ remedy }) => remedy || '–' },
      ]}
    />
  );
}
