/**
 * The lab file as JSON Schema, for editors. It may be a part that others extend, so nothing but the entry of a list must be complete; null
 * takes away what is inherited; and a variable may stand for a number, a truth value or one of some words.
 */
import { z } from 'zod';
import { labSchema } from './schema.ts';

type JsonSchema = z.core.JSONSchema._JSONSchema;

export function labJsonSchema(): Record<string, unknown> {
  return { title: 'vmlan lab', ...(loosened(z.toJSONSchema(labSchema, { io: 'input' }), false) as object) };
}

function loosened(schema: JsonSchema, isListEntry: boolean): JsonSchema {
  if (typeof schema === 'boolean') return schema;
  const { required, properties, additionalProperties, items, anyOf, description, ...rest } = schema;
  const form = {
    ...rest,
    ...(properties && { properties: Object.fromEntries(Object.entries(properties).map(([k, v]) => [k, orNull(v)])) }),
    ...(isListEntry && required && { required }),
    ...(additionalProperties !== undefined && { additionalProperties: orNull(additionalProperties) }),
    ...(items !== undefined && { items: loosened(items as JsonSchema, true) }),
    ...(anyOf && { anyOf: anyOf.map((each) => loosened(each, isListEntry)) }),
  } as z.core.JSONSchema.JSONSchema;
  const isChoice = rest.enum !== undefined || rest.const !== undefined;
  const takesText = !isChoice && !['integer', 'number', 'boolean'].includes(String(rest.type));
  const whole = takesText ? form : { anyOf: [form, { type: 'string', pattern: '\\$' }] };
  return { ...(description !== undefined && { description }), ...whole } as JsonSchema;
}

function orNull(schema: JsonSchema): JsonSchema {
  const form = loosened(schema, false);
  if (typeof form === 'boolean') return form;
  const { description, ...rest } = form;
  const alternatives = rest.anyOf !== undefined && Object.keys(rest).length === 1 ? rest.anyOf : [rest];
  return { ...(description !== undefined && { description }), anyOf: [...alternatives, { type: 'null' }] };
}
