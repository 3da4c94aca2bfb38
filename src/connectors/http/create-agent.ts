import { Agent } from 'undici';

export interface AgentOptions {
  readonly connectTimeoutMs?: number;
}

/** The connection pool that `fetchFile` goes through; close it with the process that made it. */
export function createAgent({ connectTimeoutMs = 10_000 }: AgentOptions = {}): Agent {
  return new Agent({ connect: { timeout: connectTimeoutMs } });
}
