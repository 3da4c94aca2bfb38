/** The exit codes of every command. */
export const EXIT = { ok: 0, failed: 1, usage: 2, held: 3 } as const;
