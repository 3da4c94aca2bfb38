/** Amazon asks for name, version and language of every caller. */
export const USER_AGENT = 'Durasync/0.1 (Language=TypeScript; Platform=Node.js)';
