import { getNamedType, isCompositeType, isObjectType, Kind } from 'graphql';
import type { DocumentNode, FieldNode, GraphQLSchema, SelectionSetNode } from 'graphql';

type Variables = Readonly<Record<string, unknown>>;

/**
 * The most points a query can cost: an object is 1, a connection 2 and `first` times what it holds. The real
 * shop asks less for long connections, so this is an upper bound.
 */
export function requestedCost(schema: GraphQLSchema, document: DocumentNode, variables: Variables): number {
  const fragments = new Map(
    document.definitions.flatMap((definition) =>
      definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition] as const] : [],
    ),
  );

  const costOfSet = (set: SelectionSetNode | undefined, typeName: string): number =>
    (set?.selections ?? []).reduce((sum, selection) => {
      switch (selection.kind) {
        case Kind.FIELD:
          return sum + costOfField(selection, typeName);
        case Kind.FRAGMENT_SPREAD: {
          const fragment = fragments.get(selection.name.value);
          return sum + costOfSet(fragment?.selectionSet, typeName);
        }
        case Kind.INLINE_FRAGMENT:
          return sum + costOfSet(selection.selectionSet, typeName);
      }
    }, 0);

  const costOfField = (field: FieldNode, parentName: string): number => {
    const parent = schema.getType(parentName);
    const definition = isObjectType(parent) ? parent.getFields()[field.name.value] : undefined;
    if (definition === undefined) throw new Error(`no field ${parentName}.${field.name.value}`);
    const type = getNamedType(definition.type);
    if (!isCompositeType(type) || type.name === 'PageInfo') return 0;
    const inside = costOfSet(field.selectionSet, type.name);
    if (type.name.endsWith('Connection')) return 2 + argumentOf(field, 'first', variables) * inside;
    return (1 + inside) * argumentOf(field, 'names', variables, 1);
  };

  return document.definitions.reduce(
    (sum, definition) =>
      definition.kind === Kind.OPERATION_DEFINITION
        ? sum + costOfSet(definition.selectionSet, schema.getQueryType()?.name ?? '')
        : sum,
    0,
  );
}

/** A number, or how many a list has. */
function argumentOf(field: FieldNode, name: string, variables: Variables, otherwise?: number): number {
  const value = field.arguments?.find((argument) => argument.name.value === name)?.value;
  if (value?.kind === Kind.INT) return Number(value.value);
  if (value?.kind === Kind.LIST) return value.values.length;
  if (value?.kind === Kind.VARIABLE) return Number(variables[value.name.value]);
  if (otherwise !== undefined) return otherwise;
  throw new Error(`${field.name.value} has no argument '${name}'`);
}

/** What the answer costs once it is known what it holds. */
export function actualCost(data: unknown): number {
  if (Array.isArray(data)) return data.reduce((sum: number, item) => sum + actualCost(item), 0);
  if (typeof data !== 'object' || data === null) return 0;
  if ('nodes' in data) return 2 + actualCost(data.nodes);
  return Object.values(data).reduce<number>((sum, value) => sum + actualCost(value), 1);
}
