import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const USUAL_PATHS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The browser of `CHROMIUM_PATH`, else the one that is installed. */
export async function launchBrowser(): Promise<Browser> {
  const paths = [process.env['CHROMIUM_PATH'], ...USUAL_PATHS];
  const executablePath = paths.find((path) => path !== undefined && existsSync(path));
  if (executablePath === undefined) {
    throw new Error(
      'There is no Chromium. Install one (Debian: apt-get install -y chromium), or set CHROMIUM_PATH to it.',
    );
  }
  // Containers run tests as root, which Chromium's own sandbox refuses.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
}
