import type { ComponentChildren } from 'preact';
import { go, usePlace } from '../router.tsx';
import { query } from '../api.ts';
import { capital, words } from '../format.ts';

/** Filters live in the address, so that they can be sent to somebody and the back button works. */
export function useFilters<Name extends string>(names: readonly Name[]): Partial<Record<Name, string>> {
  const { query: given } = usePlace();
  const set = names.flatMap((name) => {
    const value = given.get(name);
    return value ? [[name, value] as const] : [];
  });
  return Object.fromEntries(set) as Partial<Record<Name, string>>;
}

interface ChoiceProps {
  readonly name: string;
  readonly label: string;
  readonly options: readonly string[];
}

/** One filter: all, or one of the options. */
export function Choice({ name, label, options }: ChoiceProps) {
  const { path, query: given } = usePlace();
  const choose = (value: string): void =>
    go(query(path, { ...Object.fromEntries(given), [name]: value }), 'replace');
  return (
    <label class="field inline">
      <span>{label}</span>
      <select value={given.get(name) ?? ''} onChange={(event) => choose(event.currentTarget.value)}>
        <option value="">All</option>
        {options.map((option) => (
          <option key={option} value={option}>
            {capital(words(option))}
          </option>
        ))}
      </select>
    </label>
  );
}

export function Filters({ children }: { readonly children: ComponentChildren }) {
  return (
    <div class="filters" role="search" aria-label="Filters">
      {children}
    </div>
  );
}

interface TextFilterProps {
  readonly name: string;
  readonly label: string;
  readonly placeholder: string;
}

/** One filter by the first letters; it counts when it is entered. */
export function TextFilter({ name, label, placeholder }: TextFilterProps) {
  const { path, query: given } = usePlace();
  const choose = (text: string): void =>
    go(query(path, { ...Object.fromEntries(given), [name]: text.trim() }), 'replace');
  return (
    <label class="field inline">
      <span>{label}</span>
      <input
        type="search"
        value={given.get(name) ?? ''}
        placeholder={placeholder}
        onChange={(event) => choose(event.currentTarget.value)}
      />
    </label>
  );
}
