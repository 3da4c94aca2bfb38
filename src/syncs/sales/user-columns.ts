/**
 * Schemas for the columns of users. What they say of a cell never repeats it: in a file whose columns are in another
 * order than its header says, any cell may be a password.
 */
import { z } from 'zod';
import { type Column, column, required } from '../columns.ts';

const NAME_LENGTH_MAX = 200;
const EMAIL_LENGTH_MAX = 254;
const EMAIL = /^[^\s@"]+@[^\s@"]+\.[^\s@".]+$/;

const refused =
  (fits: (value: string) => string | null, message: string): (() => Column) =>
  () =>
    column((value, issues) => {
      const read = fits(value);
      if (read === null) issues.addIssue({ code: 'custom', message });
      return read;
    });

/** A name to sign in with. */
const username = refused(
  (value) => (value.length > NAME_LENGTH_MAX || /\p{C}/u.test(value) ? null : value),
  `is longer than ${NAME_LENGTH_MAX} characters, or holds some that can't be seen`,
);

const email = refused(
  (value) => (value.length <= EMAIL_LENGTH_MAX && EMAIL.test(value) ? value : null),
  'is not an email address',
);

const ROLES: ReadonlySet<string> = new Set(['user', 'manager', 'admin']);

const role = refused((value) => {
  const lower = value.toLowerCase();
  return ROLES.has(lower) ? lower : null;
}, 'is not one of user, manager, admin');

export const userRow = z.object({
  username: required(username()),
  email: required(email()),
  role: required(role()),
  password_hash: z.string().min(1, 'cannot be made, because the row has no initial_password'),
});
