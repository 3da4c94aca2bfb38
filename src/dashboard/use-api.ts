import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiProblem, get } from './api.ts';
import type { Answers } from './api-types.ts';
import { live, type Topic } from './live.ts';
import { sessionEnded } from './session.ts';
import { useStore } from './store.ts';

/** What a page has of an answer. While something newer is read, the older one stays. */
export interface Loaded<T> {
  readonly data: T | undefined;
  readonly problem: ApiProblem | undefined;
  reload(): void;
}

/**
 * Reads an address, and reads it again whenever the server says that something of the topics has changed.
 *
 * @param address null for nothing to read
 */
export function useApi<Path extends keyof Answers>(
  kind: Path,
  address: string | null,
  topics: readonly Topic[] = [],
): Loaded<Answers[Path]> {
  const [state, setState] = useState<{ address: string; data?: Answers[Path]; problem?: ApiProblem }>();
  const { versions } = useStore(live);
  const [asked, setAsked] = useState(0);
  const version = topics.reduce((sum, topic) => sum + versions[topic], asked);
  const current = useRef(0);
  useEffect(() => {
    if (address === null) return;
    const mine = ++current.current;
    const keep = (found: { data?: Answers[Path]; problem?: ApiProblem }): void => {
      if (mine !== current.current) return;
      setState((now) => ({ address, data: now?.address === address ? now.data : undefined, ...found }));
    };
    get(kind, address).then(
      (data) => keep({ data, problem: undefined }),
      (error: unknown) => {
        if (!(error instanceof ApiProblem)) throw error;
        if (error.status === 401) sessionEnded();
        else keep({ problem: error });
      },
    );
  }, [kind, address, version]);
  const reload = useCallback(() => setAsked((count) => count + 1), []);
  const fresh = state?.address === address ? state : undefined;
  return { data: fresh?.data, problem: fresh?.problem, reload };
}
