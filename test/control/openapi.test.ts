import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { controlApi } from '../../src/control/api.ts';
import type { LabChange } from '../../src/control/route.ts';
import { RunningLab } from '../../src/lab/running-lab.ts';
import { MemoryEnvironment } from '../support/memory-environment.ts';
import { planOf } from '../support/plan-of.ts';

const LAB = `
name: office
networks:
  lan: { subnet: 10.0.2.0/24, host-access: [tcp 8000] }
  cable: { kind: hub, gateway: none }
nodes:
  web: { nics: [{ network: lan, address: 10.0.2.80 }, cable] }
  db: { nics: [lan] }
  app: { nics: [lan], qemu: {} }
forwards: [tcp 127.0.0.1:8080 -> web:80]
capture: office.pcapng
`;

interface Example {
  readonly at?: string;
  readonly body?: unknown;
  readonly status: number;
}

/** What is asked of each route, in this order, and the status of the answer. */
const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  'GET /v1/status': [{ status: 200 }],
  'GET /v1/leases': [{ status: 200 }],
  'GET /v1/flows': [{ status: 200 }],
  'GET /v1/macs': [{ status: 200 }],
  'GET /v1/names': [{ status: 200 }],
  'GET /v1/nodes': [{ status: 200 }],
  'GET /v1/nodes/{node}/console': [
    { at: '/v1/nodes/app/console', status: 200 },
    { at: '/v1/nodes/db/console', status: 409 },
    { at: '/v1/nodes/bd/console', status: 404 },
  ],
  'POST /v1/nodes/{node}/restart': [{ at: '/v1/nodes/app/restart', body: { force: true }, status: 200 }],
  'POST /v1/nodes/{node}/stop': [
    { at: '/v1/nodes/app/stop', body: {}, status: 200 },
    { at: '/v1/nodes/app/stop', body: { fource: true }, status: 400 },
  ],
  'POST /v1/nodes/{node}/start': [
    { at: '/v1/nodes/app/start', body: {}, status: 200 },
    { at: '/v1/nodes/web/start', body: {}, status: 409 },
  ],
  'GET /v1/forwards': [{ status: 200 }],
  'POST /v1/forwards': [
    { body: { rule: 'udp 5353 -> db:53' }, status: 201 },
    { body: { rule: 'udp 5353 -> db:53' }, status: 409 },
    { body: { rule: 'udp 5353 -> bd:53' }, status: 400 },
    { body: { rules: [] }, status: 400 },
  ],
  'DELETE /v1/forwards/{id}': [
    { at: '/v1/forwards/lan.1', status: 204 },
    { at: '/v1/forwards/lan.1', status: 404 },
  ],
  'GET /v1/captures': [{ status: 200 }],
  'POST /v1/captures': [
    { body: { of: 'web:lan' }, status: 200 },
    { body: { of: 'web' }, status: 404 },
    { body: {}, status: 400 },
  ],
  'DELETE /v1/captures/{id}': [
    { at: '/v1/captures/1', status: 204 },
    { at: '/v1/captures/1', status: 404 },
  ],
  'GET /v1/links': [{ status: 200 }],
  'GET /v1/links/{port}': [
    { at: '/v1/links/db', status: 200 },
    { at: '/v1/links/web', status: 400 },
    { at: '/v1/links/nobody', status: 404 },
  ],
  'PATCH /v1/links/{port}': [
    { at: '/v1/links/web:lan', body: { up: false, fromGuest: { delay: '20ms', loss: '1%' } }, status: 200 },
    { at: '/v1/links/web:lan', body: { toGuest: { delay: 'long' } }, status: 400 },
    { at: '/v1/links/nobody', body: {}, status: 404 },
  ],
  'DELETE /v1/links/{port}': [
    { at: '/v1/links/lan:gateway', status: 200 },
    { at: '/v1/links/nobody', status: 404 },
  ],
  'GET /v1/log': [{ status: 200 }],
  'GET /v1/events': [
    { at: '/v1/events?past=10&kinds=leases,log', status: 200 },
    { at: '/v1/events?past=-1&kinds=lease', status: 400 },
  ],
  'POST /v1/networks/{network}/ports': [
    { at: '/v1/networks/lan/ports', body: { kind: 'exec' }, status: 201 },
    { at: '/v1/networks/lan/ports', body: { name: 'exec-1' }, status: 409 },
    { at: '/v1/networks/wan/ports', body: {}, status: 404 },
    { at: '/v1/networks/lan/ports', body: { name: 'No Name' }, status: 400 },
  ],
  'POST /v1/reload': [
    { body: {}, status: 200 },
    { body: { check: true }, status: 400 },
    { body: {}, status: 409 },
    { body: { check: 1 }, status: 400 },
  ],
  'POST /v1/stop': [{ status: 204 }],
  'GET /v1/openapi.json': [{ status: 200 }],
};

async function office() {
  const environment = new MemoryEnvironment();
  const address = { kind: 'unix', path: '/run/app.qemu' } as const;
  const doors = [{ mode: 'connect', address, network: 'lan', port: 'app:lan' }] as const;
  const lab = await RunningLab.start(planOf(LAB), doors, environment);
  environment.log({ event: 'tried', message: 'a lab was started to be asked' });
  environment.net.listeners[0]!.arrive({ address: Uint8Array.of(127, 0, 0, 1), port: 50_000 });
  const issues = [{ code: 'cannot-change', path: ['name'], message: 'it cannot', hint: 'do not', line: 2, column: 1 }];
  const changes: LabChange[] = [
    { changes: ['network wan comes'] },
    { refused: 'lab-refused', issues, text: 'office.yaml:2:1 it cannot' },
    { refused: 'cannot-change', issues, text: 'office.yaml:2:1 it cannot' },
  ];
  const reload = async () => changes.shift()!;
  const about = { pid: 42, version: '1.2.3', file: '/labs/office.yaml', stop: () => undefined };
  const api = controlApi({ lab, ...about, reload });
  const document = (await (await api.request('/v1/openapi.json')).json()) as Document;
  return { api, document };
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { schema?: object }>> }>>;
}

describe('the OpenAPI document', () => {
  it('tells every route, and nothing else', async () => {
    const { document } = await office();
    expect(document.openapi).toBe('3.1.1');
    const told = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(told.sort()).toEqual(Object.keys(EXAMPLES).sort());
  });

  it('tells the parameters that a path has', async () => {
    const { document } = await office();
    for (const [path, operations] of Object.entries(document.paths)) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const { parameters = [] } of Object.values(operations)) {
        const told = parameters.filter((parameter) => parameter.in === 'path' && parameter.required);
        expect(told.map(({ name }) => name)).toEqual(inPath);
      }
    }
  });

  it('has every schema that it refers to', async () => {
    const { document } = await office();
    const referred = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
    expect(referred.length).toBeGreaterThan(0);
    for (const [, name] of referred) expect(document.components.schemas).toHaveProperty(name!);
  });

  it('is true: each route of a running lab answers as it says', async () => {
    const { api, document } = await office();
    for (const [name, examples] of Object.entries(EXAMPLES)) {
      const [method, path] = name.split(' ') as [string, string];
      const { responses } = document.paths[path]![method.toLowerCase()]!;
      for (const { at = path, body, status } of examples) {
        const answer = await api.request(at, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
        expect(`${name} ${answer.status}`).toBe(`${name} ${status}`);
        await expectAsTold(answer, responses[status], document);
      }
    }
  });
});

/** The answer has the told media type, and its JSON satisfies the told schema. */
async function expectAsTold(answer: Response, told: Operation['responses'][string] | undefined, document: Document) {
  expect(told).toBeDefined();
  const [media, content] = Object.entries(told!.content ?? {})[0] ?? [];
  expect(answer.headers.get('content-type')).toBe(media ?? null);
  if (content?.schema === undefined) return void (await answer.body?.cancel());
  const schema = withDefinitions(content.schema, document);
  expect(z.fromJSONSchema(schema).safeParse(await answer.json()).error).toBeUndefined();
}

/** The schema as a document of its own. */
function withDefinitions(schema: object, { components }: Document): z.core.JSONSchema.JSONSchema {
  const text = JSON.stringify({ ...schema, $defs: components.schemas });
  return JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/'));
}
