import { audit } from '../../db/audit.ts';
import { rotateCredentials } from '../../db/rotate-credentials.ts';
import { actor, withSession } from '../context.ts';
import { count, printJson, printLine } from '../output.ts';

/** Seals every credential anew with the first key. Safe to repeat. */
export async function rotate(options: { readonly json?: true }): Promise<void> {
  await withSession(async ({ database, targets: { keys } }) => {
    const done = await rotateCredentials(database.db, keys);
    await audit(database.db, {
      actor: actor(),
      action: 'rotate keys',
      subject: keys.keyId,
      detail: { ...done },
    });
    if (options.json) return printJson({ key_id: keys.keyId, ...done });
    printLine(`${count(done.rotated)} credentials are sealed anew with the key '${keys.keyId}'.`);
    printLine(`${count(done.current)} already were. Other keys are not needed for credentials any more.`);
  });
}
