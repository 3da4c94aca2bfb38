import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string | { readonly type: string };
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly link?: boolean;
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'));
const { packages } = read('package-lock.json') as { packages: Readonly<Record<string, Locked>> };
const { allowScripts } = read('package.json') as { allowScripts: Readonly<Record<string, boolean>> };

/** Licences that ask for no more than a notice. */
const FINE = [
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'CC-BY-4.0',
  'ISC',
  'MIT',
  'MIT-0',
  'PostgreSQL',
  'Unlicense',
];
/** Looked at one by one. */
const KNOWN: readonly { readonly name: RegExp; readonly licence: string }[] = [
  // A tool of the dashboard's build, used as it is: its licence asks for the source of changed files.
  { name: /^lightningcss(-|$)/, licence: 'MPL-2.0' },
  // Names none in its package.json; its LICENSE is the Unlicense.
  { name: /^unionfs$/, licence: 'none' },
];

const entries = Object.entries(packages).filter(([path, { link }]) => path !== '' && !link);
const nameOf = (path: string): string =>
  path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
const inProduction = entries.filter(([, { dev }]) => !dev);

function licenceOf({ license }: Locked): string {
  return typeof license === 'object' ? license.type : (license ?? 'none');
}

/** Of several licences to choose from one that is fine is enough; of several that apply all have to be. */
function isFine(licence: string): boolean {
  const choices = licence.replaceAll(/[()]/g, '').split(' OR ');
  return choices.some((choice) => choice.split(' AND ').every((each) => FINE.includes(each)));
}

describe('packages', () => {
  test('that run in production have licences that ask for no more than a notice', () => {
    expect(inProduction.length).toBeGreaterThan(100);
    const doubtful = inProduction
      .map(([path, locked]) => ({ name: nameOf(path), licence: licenceOf(locked) }))
      .filter(({ licence }) => !isFine(licence))
      .filter(
        ({ name, licence }) => !KNOWN.some((known) => known.name.test(name) && known.licence === licence),
      );
    expect(doubtful).toEqual([]);
  });

  test('are locked with a hash of their content', () => {
    const unlocked = entries.filter(([, { integrity }]) => !/^sha(512|1)-/.test(integrity ?? ''));
    expect(unlocked.map(([path]) => path)).toEqual([]);
  });

  test('run a script when they are installed only where package.json allows it by name', () => {
    const names = entries.flatMap(([path, { hasInstallScript }]) => (hasInstallScript ? [nameOf(path)] : []));
    expect(names.filter((name) => !allowScripts[name])).toEqual([]);
  });

  test.each([
    ['MIT', true],
    ['(MIT OR GPL-3.0)', true],
    ['MIT AND ISC', true],
    ['MIT AND GPL-3.0', false],
    ['GPL-3.0-only', false],
    ['none', false],
  ])('with the licence %s would be fine: %s', (licence, fine) => {
    expect(isFine(licence)).toBe(fine);
  });
});
