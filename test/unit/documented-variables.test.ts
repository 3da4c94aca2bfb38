import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { configSchema } from '../../src/config.ts';
import { syncs } from '../../src/syncs/index.ts';

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

const documented = new Set(
  [...read('.env.example').matchAll(/^#? ?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name),
);
const compose = read('docker-compose.temporal.yml');

describe('.env.example', () => {
  test('names every variable that Durasync reads', () => {
    const names = [
      ...Object.keys(configSchema.shape),
      ...syncs.flatMap((sync) => Object.keys(sync.settings.shape)),
    ];
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !documented.has(name))).toEqual([]);
  });

  test('names every variable that docker-compose.temporal.yml takes from it', () => {
    const names = [...compose.matchAll(/(?<!\$)\$\{([A-Z0-9_]+)/g)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => !documented.has(name))).toEqual([]);
  });

  test('docker-compose.temporal.yml has no default for anything secret', () => {
    expect([...compose.matchAll(/\$\{[A-Z_]*(PASSWORD|KEYS|TOKEN)[A-Z_]*:-/g)]).toEqual([]);
  });

  test('every port of docker-compose.temporal.yml is on loopback only', () => {
    const ports = [...compose.matchAll(/^ +- (\S+:\d+)$/gm)].map(([, port]) => port);
    expect(ports.length).toBeGreaterThan(3);
    expect(ports.filter((port) => !port?.startsWith('127.0.0.1:'))).toEqual([]);
  });
});
