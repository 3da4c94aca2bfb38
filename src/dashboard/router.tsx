import type { ComponentChildren } from 'preact';
import { createStore, useStore } from './store.ts';

/** Where the browser is. */
interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

const here = (): Place => ({ path: location.pathname, query: new URLSearchParams(location.search) });
const place = createStore(here());

addEventListener('popstate', () => place.set(here()));

export const usePlace = (): Place => useStore(place);

let moved = false;
/** Whether people have gone from the page that was loaded to another one. */
export const hasMoved = (): boolean => moved;

/** Goes to another page without loading anything again. */
export function go(address: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') history.pushState(null, '', address);
  else history.replaceState(null, '', address);
  moved = true;
  place.set(here());
  if (how === 'push') scrollTo(0, 0);
}

interface LinkProps {
  readonly to: string;
  readonly class?: string;
  readonly 'aria-current'?: 'page';
  readonly children: ComponentChildren;
}

/** A link to another page of the dashboard. */
export function Link({ to, children, ...rest }: LinkProps) {
  const follow = (event: MouseEvent): void => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a {...rest} href={to} onClick={follow}>
      {children}
    </a>
  );
}
