import { z } from 'zod';
import type { Definition, Role } from '../core/component.ts';
import type { Registry } from '../core/registry.ts';
import { cameraName, mostCameras } from './cameras.ts';
import { sideSchemas } from './file-schema.ts';
import { serveSchema } from './serve-options.ts';
import { timingTestSchema } from './timing-test.ts';

type Schema = Record<string, unknown>;

/** The JSON Schema of one component's options, as written in a pipeline file. */
export function optionsSchema(definition: Definition): Schema {
  const { $schema: _, ...schema } = z.toJSONSchema(definition.options, {
    io: 'input',
    unrepresentable: 'any',
  }) as Schema;
  return schema;
}

/** The JSON Schema of pipeline files, for editors. */
export function pipelineFileSchema(registry: Registry): Schema {
  const operators = { type: 'array', items: item(registry, 'operator', ['queue', 'cameras']) };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Depthline pipeline file',
    $defs: { nestedSource: item(withoutNesting(registry), 'source', []) },
    type: 'object',
    additionalProperties: false,
    patternProperties: {
      '^x-': { description: 'ignored; holds anchors for the rest of the file' },
    },
    required: ['sinks'],
    oneOf: [{ required: ['source'] }, { required: ['cameras'] }],
    properties: {
      description: { type: 'string', description: 'one sentence, shown by "depthline list"' },
      use: {
        description: 'JavaScript modules that export your own components, relative to this file',
        anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
      },
      serve: {
        description:
          'metrics, health and commands over HTTP, while "depthline run" runs the pipeline',
        ...plain(z.toJSONSchema(serveSchema, { io: 'input' })),
      },
      source: item(registry, 'source', []),
      cameras: {
        type: 'object',
        description: 'in place of "source": the source of each camera, by its name',
        minProperties: 1,
        maxProperties: mostCameras,
        propertyNames: plain(z.toJSONSchema(cameraName, { io: 'input' })),
        additionalProperties: item(registry, 'source', []),
      },
      operators,
      sinks: {
        type: 'array',
        minItems: 1,
        items: item(registry, 'sink', ['queue', 'name', 'on-error', 'cameras'], { operators }),
      },
      tests: {
        type: 'array',
        description: 'timing tests for "depthline test", which runs them in virtual time',
        items: plain(z.toJSONSchema(timingTestSchema, { io: 'input' })),
      },
    },
  };
}

function withoutNesting(registry: Registry): { list: Registry['list']; names: Registry['names'] } {
  const list = (role?: Role) =>
    registry.list(role).filter((one) => one.role !== 'source' || !one.nested);
  return { list, names: (role) => list(role).map(({ name }) => name) };
}

/** Without `$schema`, which only the top level has. */
function plain({ $schema: _, ...schema }: Schema): Schema {
  return schema;
}

/** Where an option names another source, the schema is that of sources which name none. */
function withNested(definition: Definition): Schema {
  const schema = optionsSchema(definition);
  const names = definition.role === 'source' ? (definition.nested ?? []) : [];
  const properties = schema.properties as Record<string, Schema>;
  for (const name of names) {
    const { description } = properties[name] as Schema;
    properties[name] = { description, $ref: '#/$defs/nestedSource' };
  }
  return schema;
}

/** `{ resize: {...}, queue: {...} }`: one component of the role and its side keys. */
function item(
  registry: Pick<Registry, 'list' | 'names'>,
  role: Role,
  beside: readonly (keyof typeof sideSchemas)[],
  more: Schema = {},
): Schema {
  const components = registry
    .list(role)
    .map((definition) => [
      definition.name,
      { ...withNested(definition), description: definition.summary },
    ]);
  const sides = beside.map((key) => {
    return [key, plain(z.toJSONSchema(sideSchemas[key], { io: 'input' }))];
  });
  return {
    anyOf: [
      { type: 'string', enum: registry.names(role) },
      {
        type: 'object',
        additionalProperties: false,
        minProperties: 1,
        properties: { ...Object.fromEntries([...components, ...sides]), ...more },
      },
    ],
  };
}
