import { createLogUpdate } from 'log-update';

const PLAIN_EVERY_MS = 5_000;
const DRAWN_EVERY_MS = 100;

export interface ProgressLine {
  update(text: string): void;
  /** Takes the line away. */
  clear(): void;
}

/** One line on standard error that is redrawn in a terminal; elsewhere a line every five seconds. */
export function progressLine(stream: NodeJS.WriteStream = process.stderr): ProgressLine {
  const draw = stream.isTTY ? createLogUpdate(stream) : null;
  let shownAt = Date.now();
  return {
    update: (text) => {
      if (Date.now() - shownAt < (draw ? DRAWN_EVERY_MS : PLAIN_EVERY_MS)) return;
      shownAt = Date.now();
      if (draw) draw(text);
      else stream.write(`${text}\n`);
    },
    clear: () => draw?.clear(),
  };
}
