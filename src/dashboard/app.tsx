import { useEffect } from 'preact/hooks';
import { Toasts } from './components/toasts.tsx';
import { listen } from './live.ts';
import { Login } from './pages/login.tsx';
import { pageFor } from './pages/index.tsx';
import { go, usePlace } from './router.tsx';
import { findSession, session } from './session.ts';
import { Shell } from './shell.tsx';
import { useStore } from './store.ts';

/** Everything: who is not logged in sees the login, whatever page was asked for. */
export function App() {
  const known = useStore(session);
  const { path } = usePlace();
  const isIn = known.state === 'in';
  useEffect(() => {
    if (location.pathname !== '/login') void findSession();
  }, []);
  useEffect(() => (isIn ? listen(() => void findSession()) : undefined), [isIn]);
  useEffect(() => {
    if (isIn && path === '/login') go('/', 'replace');
  }, [isIn, path]);
  if (path === '/login' ? !isIn : known.state === 'out') return <Login known={known} />;
  if (!isIn) return null;
  return (
    <Shell session={known.session} path={path}>
      <main id="content" class="content">
        {pageFor(path)}
      </main>
      <Toasts />
    </Shell>
  );
}
