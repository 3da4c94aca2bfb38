import { readFileSync } from 'node:fs';

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly maximum?: number;
  readonly maxItems?: number;
}

interface Parameter extends Schema {
  readonly name: string;
  readonly in: 'query' | 'path' | 'header' | 'body';
}

interface Operation {
  readonly operationId?: string;
  readonly parameters?: readonly (Omit<Parameter, 'required'> & { readonly required?: boolean })[];
  readonly responses?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

/** A Swagger 2.0 model as far as Amazon's use it. */
export interface SwaggerModel {
  /** What is wrong with a GET request of this operation, as sentences. */
  wrongWithRequest(operationId: string, path: string, query: Readonly<Record<string, string>>): string[];
  /** What is wrong with an answer, as sentences. */
  wrongWithAnswer(operationId: string, status: number, answer: unknown): string[];
  /** A GET operation's path as an expression, when the model has the operation. */
  pathOf(operationId: string): RegExp;
  /** An answer with everything that the model knows of, once. */
  sampleAnswer(operationId: string): unknown;
}

export function readSwaggerModel(file: URL): SwaggerModel {
  const model = JSON.parse(readFileSync(file, 'utf8')) as {
    paths: Record<string, Record<string, Operation>>;
    definitions: Record<string, Schema>;
  };

  function find(operationId: string): { template: string; operation: Operation } {
    for (const [template, methods] of Object.entries(model.paths)) {
      if (methods['get']?.operationId === operationId) return { template, operation: methods['get'] };
    }
    throw new Error(`the model has no GET operation ${operationId}`);
  }

  return {
    wrongWithRequest(operationId, path, query) {
      const { template, operation } = find(operationId);
      const parameters = (operation.parameters ?? []).filter((each) => each.in === 'query');
      const wrong = patternOf(template).test(path) ? [] : [`${path} is not ${template}`];
      for (const { name, required } of parameters) {
        if (required === true && query[name] === undefined) wrong.push(`${name} is required`);
      }
      for (const [name, text] of Object.entries(query)) {
        const known = parameters.find((each) => each.name === name);
        if (known === undefined) wrong.push(`${name} is unknown`);
        else
          wrong.push(...wrongWith({ ...known, required: [] }, valueOf(known.type ?? 'string', text), name));
      }
      return wrong;
    },
    wrongWithAnswer(operationId, status, answer) {
      const schema = find(operationId).operation.responses?.[String(status)]?.schema;
      return schema === undefined ? [`status ${status} is unknown`] : wrongWith(schema, answer, 'answer');
    },
    pathOf: (operationId) => patternOf(find(operationId).template),
    sampleAnswer: (operationId) => sample(find(operationId).operation.responses?.['200']?.schema ?? {}),
  };

  function sample(schema: Schema): unknown {
    if (schema.$ref !== undefined)
      return sample(model.definitions[schema.$ref.replace('#/definitions/', '')] ?? {});
    if (schema.enum !== undefined) return schema.enum[0];
    if (schema.properties !== undefined) {
      const properties = Object.entries(schema.properties);
      return Object.fromEntries(properties.map(([name, each]) => [name, sample(each)]));
    }
    switch (schema.type ?? 'object') {
      case 'array':
        return [sample(schema.items ?? {})];
      case 'string':
        return schema.format === 'date-time' ? '2026-11-01T00:00:00Z' : 'text';
      case 'integer':
      case 'number':
        return 1;
      case 'boolean':
        return true;
      default:
        return {};
    }
  }

  function wrongWith(schema: Schema, value: unknown, at: string): string[] {
    if (schema.$ref !== undefined) {
      const name = schema.$ref.replace('#/definitions/', '');
      const target = model.definitions[name];
      return target === undefined ? [`${at}: no definition ${name}`] : wrongWith(target, value, at);
    }
    if (schema.enum !== undefined && !schema.enum.includes(value))
      return [`${at} may not be ${String(value)}`];
    switch (schema.type ?? (schema.properties === undefined ? 'anything' : 'object')) {
      case 'string':
        if (typeof value !== 'string') return [`${at} is no text`];
        return schema.format === 'date-time' && !isDateTime(value) ? [`${at} is no date-time`] : [];
      case 'integer':
        if (!Number.isInteger(value)) return [`${at} is no whole number`];
        return Number(value) > (schema.maximum ?? Infinity) ? [`${at} is over ${schema.maximum}`] : [];
      case 'number':
        return typeof value === 'number' ? [] : [`${at} is no number`];
      case 'boolean':
        return typeof value === 'boolean' ? [] : [`${at} is neither true nor false`];
      case 'array': {
        if (!Array.isArray(value)) return [`${at} is no list`];
        if (value.length > (schema.maxItems ?? Infinity)) return [`${at} has more than ${schema.maxItems}`];
        return value.flatMap((each, index) => wrongWith(schema.items ?? {}, each, `${at}.${index}`));
      }
      case 'object': {
        if (typeof value !== 'object' || value === null || Array.isArray(value))
          return [`${at} is no object`];
        const missing = (schema.required ?? []).filter((name) => !(name in value));
        const inside = Object.entries(value).flatMap(([name, each]) => {
          const known = schema.properties?.[name];
          return known === undefined ? [] : wrongWith(known, each, `${at}.${name}`);
        });
        return [...missing.map((name) => `${at}.${name} is missing`), ...inside];
      }
      default:
        return [];
    }
  }
}

const patternOf = (template: string): RegExp => new RegExp(`^${template.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`);

const isDateTime = (text: string): boolean =>
  /^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text));

/** What the text of a query parameter stands for. */
function valueOf(type: string, text: string): unknown {
  switch (type) {
    case 'array':
      return text.split(',');
    case 'integer':
      return Number(text);
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    default:
      return text;
  }
}
