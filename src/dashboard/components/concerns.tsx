import { useEffect } from 'preact/hooks';
import { Link } from '../router.tsx';
import { useApi } from '../use-api.ts';
import { Section } from './page.tsx';
import { Status } from './status.tsx';

const LOOK_EVERY_MS = 60_000;

/** What is late or not well, looked at once a minute; nothing when all is well. */
export function Concerns() {
  const { data, reload } = useApi('/api/health', '/api/health');
  useEffect(() => {
    const timer = setInterval(reload, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [reload]);
  const concerns = data?.checks.filter(({ status }) => status !== 'healthy') ?? [];
  if (concerns.length === 0) return null;
  return (
    <Section title="Late or not well" beside={<Link to="/health">All checks</Link>}>
      <ul class="steps-list">
        {concerns.map(({ name, status, message }) => (
          <li key={name}>
            <Status status={status} /> {message}
          </li>
        ))}
      </ul>
    </Section>
  );
}
