import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { ApiProblem } from '../api.ts';
import { changedHere } from '../live.ts';
import { sessionEnded } from '../session.ts';
import { Problem } from './page.tsx';
import { toast } from './toasts.tsx';

interface ActionProps {
  readonly label: string;
  /** For who does not see beside what the button stands. */
  readonly about?: string;
  readonly look?: 'primary' | 'danger' | 'plain';
  /** Asked before it is done. With `reason` people may say why. */
  readonly ask?: { readonly title: string; readonly text: ComponentChildren; readonly reason?: 'optional' };
  /** Does it. @returns what to tell when it is done @throws ApiProblem */
  readonly act: (reason: string | undefined) => Promise<string>;
}

/** A button that changes something: asks first when told to, and says what came of it. */
export function Action({ label, about, look = 'plain', ask, act }: ActionProps) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiProblem>();

  async function run(reason: string | undefined): Promise<void> {
    setBusy(true);
    setProblem(undefined);
    try {
      toast(await act(reason), 'good');
      setAsking(false);
      changedHere();
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      if (error.status === 401) sessionEnded();
      else if (ask) setProblem(error);
      else toast(`${error.title}. ${error.message}`, 'bad');
    } finally {
      setBusy(false);
    }
  }

  return (
    <>
      <button
        type="button"
        class={`button ${look}`}
        aria-label={about ? `${label} ${about}` : undefined}
        disabled={busy}
        onClick={() => (ask ? setAsking(true) : void run(undefined))}
      >
        {label}
      </button>
      {ask && asking && (
        <Question
          {...ask}
          label={label}
          look={look}
          busy={busy}
          problem={problem}
          onYes={(reason) => void run(reason)}
          onNo={() => {
            setAsking(false);
            setProblem(undefined);
          }}
        />
      )}
    </>
  );
}

interface QuestionProps extends NonNullable<ActionProps['ask']> {
  readonly label: string;
  readonly look: 'primary' | 'danger' | 'plain';
  readonly busy: boolean;
  readonly problem: ApiProblem | undefined;
  readonly onYes: (reason: string | undefined) => void;
  readonly onNo: () => void;
}

function Question({ title, text, reason, label, look, busy, problem, onYes, onNo }: QuestionProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [why, setWhy] = useState('');
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);
  const submit = (event: Event): void => {
    event.preventDefault();
    onYes(why.trim() || undefined);
  };
  return (
    <dialog ref={dialog} class="question" aria-labelledby={`${id}-title`} onClose={onNo}>
      <form onSubmit={submit}>
        <h2 id={`${id}-title`}>{title}</h2>
        <div class="question-text">{text}</div>
        {reason && (
          <label class="field">
            <span>Reason (kept in the audit log)</span>
            <textarea rows={2} maxLength={1000} value={why} onInput={(e) => setWhy(e.currentTarget.value)} />
          </label>
        )}
        {problem && <Problem problem={problem} />}
        <div class="actions">
          <button type="button" class="button plain" onClick={onNo}>
            Back
          </button>
          <button type="submit" class={`button ${look === 'plain' ? 'primary' : look}`} disabled={busy}>
            {busy ? 'Working…' : label}
          </button>
        </div>
      </form>
    </dialog>
  );
}
