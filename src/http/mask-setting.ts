const SECRET = /KEY|TOKEN|SECRET|PASSWORD|WEBHOOK/;
const MASK = '***';

/**
 * A setting as anybody with a token may see it: of an address only scheme and host, because report addresses carry
 * their own authentication; of a secret only that it is set; null for one that is not set.
 */
export function maskSetting(name: string, value: unknown): string | number | boolean | null {
  if (value === undefined || value === null) return null;
  if (SECRET.test(name)) return MASK;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'string') return MASK;
  return value.includes('://') || name.endsWith('URL') ? maskUrl(value) : value;
}

/** 'https://fms.example.com/…': without path, query, user and password. */
export function maskUrl(address: string): string {
  if (!URL.canParse(address)) return MASK;
  const { protocol, host } = new URL(address);
  return `${protocol}//${host}/…`;
}
