/** The OpenAPI 3.1 document of a table of routes. Its schemas are JSON Schema as zod writes it, named ones once under `components`. */
import * as z from 'zod';
import type { Route } from './route.ts';
import { refusalSchema } from './route.ts';

type Json = Record<string, unknown>;

export function openApiDocument(routes: readonly Route[], version: string): Json {
  const schemas: Json = {};
  const paths: Record<string, Json> = {};
  for (const each of routes)
    paths[each.path] = { ...paths[each.path], [each.method.toLowerCase()]: operation(each, schemas) };
  return {
    openapi: '3.1.1',
    info: {
      title: 'vmlan',
      version,
      description: 'A running lab, over HTTP on its unix socket `control.sock`, which only its owner may open.',
    },
    paths,
    components: { schemas },
  };
}

function operation(each: Route, schemas: Json): Json {
  const { summary, params, query, body } = each;
  const parameters = [...parametersOf('path', params, schemas), ...parametersOf('query', query, schemas)];
  return {
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: jsonContent(body, 'input', schemas) } }),
    responses: responsesOf(each, schemas),
  };
}

function parametersOf(place: 'path' | 'query', schema: z.ZodType | undefined, schemas: Json): readonly Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input', schemas) as {
    properties?: Record<string, Json>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema: rest,
  }));
}

function responsesOf(
  { status, answer, media, summary, params, query, body, refusals = {} }: Route,
  schemas: Json,
): Json {
  const isChecked = params !== undefined || query !== undefined || body !== undefined;
  const content =
    media !== undefined
      ? { [media]: {} }
      : answer && !(answer instanceof z.ZodUndefined) && jsonContent(answer, 'output', schemas);
  const refused = Object.entries({ ...(isChecked && { 400: 'What was asked is wrong' }), ...refusals });
  return {
    [status]: { description: summary, ...(content && { content }) },
    ...Object.fromEntries(
      refused.map(([code, description]) => [
        code,
        { description, content: jsonContent(refusalSchema, 'output', schemas) },
      ]),
    ),
  };
}

function jsonContent(schema: z.ZodType, io: 'input' | 'output', schemas: Json): Json {
  return { 'application/json': { schema: jsonSchema(schema, io, schemas) } };
}

/** Schemas with an `id` go to `schemas`. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output', schemas: Json): Json {
  const text = JSON.stringify(z.toJSONSchema(schema, { io })).replaceAll('"#/$defs/', '"#/components/schemas/');
  const { $schema, $defs, ...rest } = JSON.parse(text) as Json;
  Object.assign(schemas, $defs);
  return rest;
}
