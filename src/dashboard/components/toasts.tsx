import { createStore, useStore } from '../store.ts';
import type { Tone } from './status.tsx';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: Tone;
}

const SHOWN_MS = 6_000;
const toasts = createStore<readonly Toast[]>([]);
let lastId = 0;

/** Tells briefly what came of something; bad news stays until it is closed. */
export function toast(text: string, tone: Tone): void {
  const id = ++lastId;
  toasts.set((now) => [...now, { id, text, tone }]);
  if (tone !== 'bad') setTimeout(() => dismiss(id), SHOWN_MS);
}

const dismiss = (id: number): void => toasts.set((now) => now.filter((each) => each.id !== id));

export function Toasts() {
  const shown = useStore(toasts);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map(({ id, text, tone }) => (
        <div key={id} class={`toast ${tone}`}>
          <p>{text}</p>
          <button type="button" class="quiet" aria-label="Close this message" onClick={() => dismiss(id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
