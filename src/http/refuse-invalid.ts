import type { Context } from 'hono';
import type { core } from 'zod';
import type { ApiEnv } from './api.ts';
import { ProblemError } from './problems.ts';

type Checked =
  | { readonly success: true; readonly target: string }
  | {
      readonly success: false;
      readonly target: string;
      readonly error: { readonly issues: readonly core.$ZodIssue[] };
    };

/** Refuses parameters and bodies that are not valid, naming each and why; never repeats a value. */
export function refuseInvalid(checked: Checked, _c: Context<ApiEnv>): void {
  if (checked.success) return;
  const errors = checked.error.issues.flatMap((issue) => wrongParameters(checked.target, issue));
  const detail = errors.map(({ parameter, reason }) => `${parameter}: ${reason}`).join('; ');
  throw new ProblemError('invalid-request', detail, { errors });
}

function wrongParameters(target: string, issue: core.$ZodIssue) {
  const path = issue.path.map(String);
  const name = (parts: readonly string[]): string => parts.join('.') || 'body';
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ in: target, parameter: name([...path, key]), reason: 'is not known' }));
  }
  return [{ in: target, parameter: name(path), reason: issue.message }];
}
