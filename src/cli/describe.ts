import { Command } from 'commander';
import { stringify } from 'yaml';
import type { Definition, Role } from '../core/component.ts';
import { hint } from '../core/did-you-mean.ts';
import { DepthlineError } from '../core/errors.ts';
import type { Registry } from '../core/registry.ts';
import { optionsSchema } from '../pipeline/json-schema.ts';
import { print, printJson } from './output.ts';
import { componentsWith, useOption } from './use-option.ts';

const roles: readonly Role[] = ['source', 'operator', 'sink'];

interface Flags {
  readonly all?: true;
  readonly json?: true;
  readonly markdown?: true;
  readonly use: readonly string[];
}

export function describeCommand(): Command {
  return new Command('describe')
    .description("show a component's options and examples")
    .argument('[name]', 'name of a component')
    .option('--all', 'describe every component')
    .option('--markdown', 'print as Markdown')
    .option('--json', "print the JSON Schema of the component's options")
    .addOption(useOption())
    .action(async (name: string | undefined, flags: Flags) => {
      const registry = await componentsWith(flags.use);
      const definitions = flags.all
        ? roles.flatMap((role) => registry.list(role))
        : named(name, registry);
      if (flags.json) {
        const schemas = definitions.map((one) => ({
          role: one.role,
          name: one.name,
          summary: one.summary,
          options: optionsSchema(one),
        }));
        printJson(flags.all ? schemas : schemas[0], 2);
      } else if (flags.markdown) {
        print(markdown(definitions).trimEnd());
      } else {
        print(definitions.map(plain).join('\n\n'));
      }
    });
}

/** All components of that name: a source and a sink may share one. */
function named(name: string | undefined, registry: Registry): Definition[] {
  if (name === undefined) {
    throw new DepthlineError(
      'CONFIG',
      'name a component ("depthline list" shows them), or give --all',
    );
  }
  const found = roles.flatMap((role) => registry.get(name, role) ?? []);
  if (found.length > 0) return found;
  throw new DepthlineError('CONFIG', `unknown component "${name}"${hint(name, registry.names())}`);
}

interface OptionRow {
  readonly name: string;
  readonly type: string;
  readonly default: string;
  readonly description: string;
}

interface Property {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly items?: Property;
  readonly anyOf?: readonly Property[];
  readonly properties?: Readonly<Record<string, Property>>;
  readonly minimum?: number;
  readonly maximum?: number;
}

function rows(definition: Definition): OptionRow[] {
  const { properties = {}, required = [] } = optionsSchema(definition) as {
    properties?: Record<string, Property>;
    required?: string[];
  };
  return Object.entries(properties).flatMap(([name, property]) => [
    row(name, property, required.includes(name)),
    ...Object.entries(property.properties ?? {}).map(([inner, value]) =>
      row(`${name}.${inner}`, value, false),
    ),
  ]);
}

function row(name: string, property: Property, required: boolean): OptionRow {
  const fallback = property.default === undefined ? '' : JSON.stringify(property.default);
  return {
    name,
    type: typeText(property),
    default: required && !fallback ? 'required' : fallback,
    description: property.description ?? '',
  };
}

function typeText(property: Property): string {
  if (property.enum) return property.enum.join(' | ');
  if (property.const !== undefined) return String(property.const);
  if (property.anyOf) return property.anyOf.map(typeText).join(' or ');
  if (property.items) return `list of ${typeText(property.items)}`;
  return property.type ?? 'list';
}

function kinds({ role, ...definition }: Definition): string {
  const accepts = 'accepts' in definition ? `accepts ${definition.accepts.join(', ')}` : '';
  const emits =
    'emits' in definition && Array.isArray(definition.emits)
      ? `emits ${definition.emits.join(', ')}`
      : '';
  return [role, accepts, emits].filter(Boolean).join('; ');
}

function examples(definition: Definition): string {
  return definition.examples
    .map((options) => {
      const empty = Object.keys(options as object).length === 0;
      return stringify([empty ? definition.name : { [definition.name]: options }]).trimEnd();
    })
    .join('\n');
}

function plain(definition: Definition): string {
  const options = rows(definition).map((one) => {
    const fallback = one.default
      ? ` (${one.default === 'required' ? '' : 'default '}${one.default})`
      : '';
    return `  ${one.name}: ${one.type}${fallback}\n      ${one.description}`;
  });
  return [
    `${definition.name} (${kinds(definition)})`,
    definition.summary,
    '',
    ...(options.length > 0 ? ['options', ...options, ''] : []),
    'examples',
    examples(definition).replace(/^/gm, '  '),
  ].join('\n');
}

function markdown(definitions: readonly Definition[]): string {
  const parts = ['# Components', '', 'Generated by `depthline describe --all --markdown`.', ''];
  for (const role of roles) {
    const ofRole = definitions.filter((one) => one.role === role);
    if (ofRole.length === 0) continue;
    parts.push(`## ${role[0]?.toUpperCase()}${role.slice(1)}s`, '');
    for (const definition of ofRole) parts.push(...section(definition));
  }
  return `${parts.join('\n').trimEnd()}\n`;
}

function section(definition: Definition): string[] {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const table = rows(definition).map(
    (one) =>
      `| \`${one.name}\` | ${cell(one.type)} | ${cell(one.default)} | ${cell(one.description)} |`,
  );
  return [
    `### ${definition.name}`,
    '',
    `${definition.summary} (${kinds(definition)})`,
    '',
    ...(table.length > 0
      ? ['| option | type | default | |', '| --- | --- | --- | --- |', ...table, '']
      : []),
    '```yaml',
    examples(definition),
    '```',
    '',
  ];
}
