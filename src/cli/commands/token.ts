import { audit } from '../../db/audit.ts';
import { createToken, listTokens, revokeToken, type Role, ROLES } from '../../db/tokens.ts';
import { actor, UsageError, withSession } from '../context.ts';
import { printJson, printLine, renderTable } from '../output.ts';

interface CreateOptions {
  readonly role: string;
  readonly name: string;
  readonly json?: true;
}

const NAME_MAX = 100;

/** Makes a token and shows it, this once. */
export async function create(options: CreateOptions): Promise<void> {
  const role = roleNamed(options.role);
  const name = options.name.trim();
  if (name === '' || name.length > NAME_MAX) {
    throw new UsageError(`--name must have from 1 to ${NAME_MAX} characters.`);
  }
  await withSession(async ({ database }) => {
    const made = await createToken(database.db, { role, name });
    await audit(database.db, {
      actor: actor(),
      action: 'create token',
      subject: made.id,
      detail: { role, name },
    });
    if (options.json) return printJson(made);
    printLine(made.token);
    printLine(`Keep it now: it is not shown again. Its id is ${made.id}, its role ${role}.`);
  });
}

function roleNamed(text: string): Role {
  const role = ROLES.find((each) => each === text);
  if (role) return role;
  throw new UsageError(`--role must be one of ${ROLES.join(', ')}, not '${text}'.`);
}

/** Every token, without the token itself. */
export async function list(options: { readonly json?: true }): Promise<void> {
  await withSession(async ({ database }) => {
    const tokens = await listTokens(database.db);
    if (options.json) return printJson(tokens);
    if (tokens.length === 0) {
      return printLine('No tokens yet. Make one with: npx durasync token create --role viewer');
    }
    const minute = (at: string | null): string => at?.slice(0, 16).replace('T', ' ') ?? '';
    printLine(
      renderTable(
        ['id', 'role', 'name', 'made (UTC)', 'last used', 'revoked'],
        tokens.map(({ id, role, name, created_at, last_used_at, revoked_at }) => [
          id,
          role,
          name,
          minute(created_at),
          minute(last_used_at),
          minute(revoked_at),
        ]),
      ),
    );
  });
}

/** Ends a token for good. */
export async function revoke(id: string): Promise<void> {
  await withSession(async ({ database }) => {
    if (!(await revokeToken(database.db, id))) {
      throw new UsageError(`There is no token '${id}'. See them with: npx durasync token list`);
    }
    await audit(database.db, { actor: actor(), action: 'revoke token', subject: id });
    printLine(`${id} is revoked`);
  });
}
