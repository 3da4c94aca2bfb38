import { useEffect, useState } from 'preact/hooks';
import { duration, fromNow, moment } from '../format.ts';

/** The present time, as often as it is worth looking. */
function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** '3 min ago', with the exact time for who points at it. */
export function Ago({ at }: { readonly at: string }) {
  const now = useNow(10_000);
  return (
    <time dateTime={at} title={moment(at)}>
      {fromNow(at, now)}
    </time>
  );
}

export function Moment({ at }: { readonly at: string }) {
  return <time dateTime={at}>{moment(at)}</time>;
}

/** How long something has been going on. */
export function Elapsed({ since }: { readonly since: string }) {
  const now = useNow(1_000);
  return <span>{duration(Math.max(0, Math.floor((now - Date.parse(since)) / 1000)))}</span>;
}
