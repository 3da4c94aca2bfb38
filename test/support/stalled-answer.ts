import type { ServerResponse } from 'node:http';
import type { Answer } from './csv-server.ts';

export interface StalledAnswer {
  readonly answer: Answer;
  /** Sends the rest to everybody who waits; from then on the whole is sent at once. */
  release(): void;
}

/**
 * A file whose last lines do not come until told. Compression and caching play no part, so the client has all that
 * was sent.
 *
 * @param linesHeldBack how many lines at the end are held back
 */
export function stalledAnswer(text: string, linesHeldBack: number): StalledAnswer {
  const lines = text.split(/(?<=\n)/);
  const shown = lines.slice(0, lines.length - linesHeldBack).join('');
  const rest = lines.slice(lines.length - linesHeldBack).join('');
  const waiting: ServerResponse[] = [];
  let released = false;
  return {
    answer: (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/csv', 'content-length': Buffer.byteLength(text) });
      if (released) return void response.end(text);
      response.write(shown);
      waiting.push(response);
    },
    release: () => {
      released = true;
      for (const response of waiting.splice(0)) response.end(rest);
    },
  };
}
