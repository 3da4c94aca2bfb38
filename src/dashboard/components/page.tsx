import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { ApiProblem } from '../api.ts';
import { hasMoved } from '../router.tsx';
import type { Loaded } from '../use-api.ts';

interface PageProps {
  readonly title: string;
  /** Beside the title, such as a status. */
  readonly beside?: ComponentChildren;
  readonly about?: ComponentChildren;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** One page: its title, which is read out when the page is opened, what can be done, and its content. */
export function Page({ title, beside, about, actions, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Durasync`;
  }, [title]);
  useEffect(() => {
    if (hasMoved()) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <>
      <header class="page-head">
        <div class="page-title">
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {beside}
        </div>
        {actions && <div class="actions">{actions}</div>}
        {about && <p class="about">{about}</p>}
      </header>
      {children}
    </>
  );
}

interface SectionProps {
  readonly title: string;
  readonly beside?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Section({ title, beside, children }: SectionProps) {
  return (
    <section class="section" aria-label={title}>
      <div class="section-head">
        <h2>{title}</h2>
        {beside}
      </div>
      {children}
    </section>
  );
}

/** Nothing is there yet: why, and what to do next. */
export function Empty({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      <p>{children}</p>
    </div>
  );
}

/** What went wrong and what to do, in the words of the API. */
export function Problem({ problem }: { readonly problem: ApiProblem }) {
  return (
    <div class="problem" role="alert">
      <p class="problem-title">{problem.title}</p>
      <p>{problem.message}</p>
    </div>
  );
}

interface WithProps<T> {
  readonly loaded: Loaded<T>;
  readonly children: (data: T) => ComponentChildren;
}

/** Shows what was loaded; until then, or instead, that it is being loaded or why it can't be. */
export function With<T>({ loaded: { data, problem }, children }: WithProps<T>) {
  return (
    <>
      {problem && <Problem problem={problem} />}
      {data === undefined && !problem && (
        <p class="loading" role="status">
          Loading…
        </p>
      )}
      {data !== undefined && children(data)}
    </>
  );
}

/** A page about one thing: until it is loaded, or when it is not there, the page has the given title. */
export function PageWith<T>({ title, loaded, children }: WithProps<T> & { readonly title: string }) {
  if (loaded.data !== undefined) return <With loaded={loaded}>{children}</With>;
  return (
    <Page title={title}>
      <With loaded={loaded}>{() => null}</With>
    </Page>
  );
}
