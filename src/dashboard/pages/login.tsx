import { useEffect, useState } from 'preact/hooks';
import type { ApiProblem } from '../api.ts';
import { Problem } from '../components/page.tsx';
import { findSession, logIn } from '../session.ts';

interface LoginProps {
  readonly known: { readonly state: string; readonly ended?: boolean; readonly problem?: ApiProblem };
}

/** Logs in with a token, or at once with the code of a login link. */
export function Login({ known }: LoginProps) {
  const [token, setToken] = useState('');
  const [busy, setBusy] = useState(false);
  const [usesLink] = useState(() => location.hash.startsWith('#code='));

  const enter = async (secret: Parameters<typeof logIn>[0]): Promise<void> => {
    setBusy(true);
    await logIn(secret);
    setBusy(false);
  };
  useEffect(() => {
    document.title = 'Log in · Durasync';
    if (!usesLink) return void (known.state === 'asking' && findSession());
    const code = location.hash.slice('#code='.length);
    // It works once; nobody finds it in the history.
    history.replaceState(null, '', '/login');
    void enter({ code });
  }, []);
  const submit = (event: Event): void => {
    event.preventDefault();
    void enter({ token: token.trim() });
  };
  return (
    <main class="login">
      <form class="login-card" onSubmit={submit}>
        <img src="/favicon.svg" alt="" width="44" height="44" />
        <h1>Durasync</h1>
        {known.ended && <p role="status">Your login has ended. Log in again to go on where you were.</p>}
        {known.problem && <Problem problem={known.problem} />}
        <label class="field">
          <span>Token</span>
          <input
            type="password"
            name="token"
            value={token}
            required
            autoComplete="current-password"
            placeholder="dsk_…"
            spellcheck={false}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="button primary" disabled={busy}>
          {busy ? 'Logging in…' : 'Log in'}
        </button>
        <p class="hint">
          On the machine that runs Durasync, <code>npx durasync login</code> prints a link that logs you in.
          <br />
          For somebody else, make a token: <code>npx durasync token create --role operator</code>
        </p>
      </form>
    </main>
  );
}
