import type { ComponentChildren } from 'preact';
import { words } from '../format.ts';

export type Tone = 'good' | 'warn' | 'bad' | 'busy' | 'calm';

const TONES: Readonly<Record<string, Tone>> = {
  running: 'busy',
  completed: 'good',
  connected: 'good',
  ok: 'good',
  healthy: 'good',
  warning: 'warn',
  held: 'warn',
  late: 'warn',
  paused: 'warn',
  completed_with_errors: 'warn',
  expired: 'bad',
  revoked: 'bad',
  error: 'bad',
  failed: 'bad',
};

export const toneOf = (status: string): Tone => TONES[status] ?? 'calm';

/** A status as a coloured dot and its word; the word alone tells it. */
export function Status({
  status,
  children,
}: {
  readonly status: string;
  readonly children?: ComponentChildren;
}) {
  return <span class={`status ${toneOf(status)}`}>{children ?? words(status)}</span>;
}

/** A short remark on a background of its tone. */
export function Badge({
  tone = 'calm',
  children,
}: {
  readonly tone?: Tone;
  readonly children: ComponentChildren;
}) {
  return <span class={`badge ${tone}`}>{children}</span>;
}
