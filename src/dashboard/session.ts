import { ApiProblem, get, send } from './api.ts';
import type { Role, Session } from './api-types.ts';
import { createStore, useStore } from './store.ts';

type Known =
  | { readonly state: 'asking' }
  | { readonly state: 'out'; readonly ended: boolean; readonly problem?: ApiProblem }
  | { readonly state: 'in'; readonly session: Session };

export const session = createStore<Known>({ state: 'asking' });

const asProblem = (error: unknown): ApiProblem =>
  error instanceof ApiProblem ? error : new ApiProblem(0, 'Something went wrong', String(error));

/** Finds out whether this browser is logged in. */
export async function findSession(): Promise<void> {
  try {
    session.set({ state: 'in', session: await get('/api/session', '/api/session') });
  } catch (error) {
    const problem = asProblem(error);
    session.set({ state: 'out', ended: false, ...(problem.status === 401 ? {} : { problem }) });
  }
}

/** Logs in with a token, or with the code of a login link. */
export async function logIn(with_: { token: string } | { code: string }): Promise<void> {
  try {
    session.set({ state: 'in', session: await send<Session>('POST', '/api/session', with_) });
  } catch (error) {
    session.set({ state: 'out', ended: false, problem: asProblem(error) });
  }
}

export async function logOut(): Promise<void> {
  await send('DELETE', '/api/session').catch(() => undefined);
  session.set({ state: 'out', ended: false });
}

/** The server no longer knows this login. */
export const sessionEnded = (): void =>
  session.set((now) => (now.state === 'in' ? { state: 'out', ended: true } : now));

const ROLES: readonly Role[] = ['viewer', 'operator', 'admin'];

/** Whether who is logged in may do what needs this role. The server decides; this only hides buttons. */
export function useMay(role: Role): boolean {
  const known = useStore(session);
  return known.state === 'in' && ROLES.indexOf(known.session.role) >= ROLES.indexOf(role);
}

/** Where Temporal's Web UI shows a run; undefined when its address is not known. */
export function useTemporalLink(workflowId: string, runId: string): string | undefined {
  const known = useStore(session);
  const base = known.state === 'in' ? known.session.temporal_workflows_url : null;
  return base === null
    ? undefined
    : `${base}/${encodeURIComponent(workflowId)}/${encodeURIComponent(runId)}/history`;
}
