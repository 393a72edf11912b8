/**
 * The control API: HTTP on a unix socket that only the lab's owner may open. What it does is in the tables of routes;
 * `GET /v1/openapi.json` describes all of it.
 */
import type { Context } from 'hono';
import { Hono } from 'hono';
import * as z from 'zod';
import { captureRoutes } from './captures.ts';
import { eventRoutes } from './events.ts';
import { forwardRoutes } from './forwards.ts';
import { labRoutes } from './lab.ts';
import { linkRoutes } from './links.ts';
import { nodeRoutes } from './nodes.ts';
import { openApiDocument } from './openapi.ts';
import { portRoutes } from './ports.ts';
import type { Asked, Controlled, Route, Streamed } from './route.ts';
import { Refusal, refuseIssues, route } from './route.ts';
import { statusRoutes } from './statuses.ts';

/** Everything that the API does. */
export const ROUTES: readonly Route[] = [
  ...statusRoutes,
  ...labRoutes,
  ...nodeRoutes,
  ...forwardRoutes,
  ...captureRoutes,
  ...linkRoutes,
  ...eventRoutes,
  ...portRoutes,
  route({
    method: 'GET',
    path: '/v1/openapi.json',
    summary: 'This document',
    status: 200,
    answer: z.record(z.string(), z.unknown()),
    handle: ({ version }) => openApiDocument(ROUTES, version),
  }),
];

/** Answers for one lab. */
export function controlApi(controlled: Controlled): Hono {
  const api = new Hono();
  for (const each of ROUTES) {
    api.on(each.method, each.path.replaceAll(/\{(\w+)\}/g, ':$1'), (context) => answer(each, controlled, context));
  }
  api.notFound((context) => {
    const { method, path } = context.req;
    const message = `there is no ${method} ${path}; GET /v1/openapi.json tells what there is`;
    return context.json({ error: 'no-such-route', message }, 404);
  });
  return api;
}

async function answer(asked: Route, controlled: Controlled, context: Context): Promise<Response> {
  const request = await readRequest(asked, context);
  const result = request instanceof Refusal ? request : await handled(asked, { ...controlled, ...request });
  if (result instanceof Refusal) return Response.json(result.body, result);
  const { status, media } = asked;
  if (media === undefined)
    return result === undefined ? new Response(null, { status }) : Response.json(result, { status });
  const { stream, headers } = result as Streamed;
  return new Response(stream, { status, headers: { 'content-type': media, ...headers } });
}

/** What the machine refuses, by a stable code and a sentence, the lab refuses; anything else is our mistake. */
async function handled(asked: Route, request: Asked<unknown, unknown, unknown>): Promise<unknown> {
  try {
    return await asked.handle(request);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (!(error instanceof Error) || typeof code !== 'string') throw error;
    return new Refusal(409, code, error.message);
  }
}

type Request = Pick<Asked<unknown, unknown, unknown>, 'params' | 'query' | 'body'>;

/** What was asked, checked by the route's schemas, or all that is wrong with it. */
async function readRequest({ params, query, body }: Route, { req }: Context): Promise<Request | Refusal> {
  const schema = z.object({ params: params ?? ignored, query: query ?? ignored, body: body ?? ignored });
  const said = { params: req.param(), query: req.query(), body: body && (await req.json().catch(() => undefined)) };
  const result = schema.safeParse(said);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ code, path, message }) => ({
    code: code.replaceAll('_', '-'),
    path: path.map((step) => (typeof step === 'symbol' ? String(step) : step)),
    message,
  }));
  return refuseIssues('bad-request', issues);
}

const ignored = z.unknown();
