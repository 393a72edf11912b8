/**
 * The control API: HTTP on a unix socket that only the lab's owner may open.
 *
 *     GET    /v1/status            what the lab is and what passed through it
 *     GET    /v1/leases            DHCP leases of all networks
 *     POST   /v1/captures          the body of the answer is the capture, until it ends; its id is in `vmlan-capture`
 *     DELETE /v1/captures/:id      completes a capture
 */
import { Hono } from 'hono';
import * as z from 'zod';
import type { ByteSink } from '../base/files.ts';
import { WHOLE_FRAMES } from '../capture/capture-writer.ts';
import type { CaptureTarget } from '../lab/plan.ts';
import type { RunningCapture, RunningLab } from '../lab/running-lab.ts';

/** What is asked of a capture. `of`: a port, a network, or `all`. Lengths in octets, duration in seconds. */
const captureRequest = z.strictObject({
  of: z.string(),
  format: z.enum(['pcapng', 'pcap']).default('pcapng'),
  label: z.string().default('control'),
  snapLength: z.int().min(14).max(WHOLE_FRAMES).optional(),
  maxOctets: z.int().positive().optional(),
  duration: z.number().positive().optional(),
});

export type CaptureRequest = z.input<typeof captureRequest>;

/** Answers for one lab. `about` is told in its status: process id, version. */
export function controlApi(lab: RunningLab, about: Readonly<Record<string, unknown>>): Hono {
  const api = new Hono();
  const captures = new Map<string, RunningCapture>();
  let lastId = 0;

  api.get('/v1/status', (context) => context.json({ ...about, ...lab.status() }));
  api.get('/v1/leases', (context) => context.json({ leases: lab.leases() }));

  api.post('/v1/captures', async (context) => {
    const asked = captureRequest.safeParse(await context.req.json().catch(() => undefined));
    if (!asked.success) return context.json({ error: 'bad-request', message: z.prettifyError(asked.error) }, 400);
    const { of, format, label, snapLength, maxOctets, duration } = asked.data;
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const options = {
      ...(snapLength !== undefined && { snapLength }),
      ...(maxOctets !== undefined && { maxOctets }),
      ...(duration !== undefined && { maxDuration: duration * 1000 }),
    };
    const writer = writable.getWriter();
    const capture = lab.capture(targetOf(lab, of), format, sinkOf(writer), options, label);
    if (capture === undefined) {
      const ports = lab.status().ports.map(({ port }) => port);
      const hint = `it has ${[...ports, ...lab.plan.networks.map(({ name }) => name), 'all'].join(', ')}`;
      return context.json(
        { error: 'no-such-port', message: `${lab.plan.name} has no port or network ${of}; ${hint}` },
        404,
      );
    }
    const id = String(++lastId);
    captures.set(id, capture);
    writer.closed.catch(() => capture.stop()); // the reader has gone
    void capture.recorder.ended.then(() => captures.delete(id));
    return context.body(readable, 200, { 'content-type': 'application/vnd.tcpdump.pcap', 'vmlan-capture': id });
  });

  api.delete('/v1/captures/:id', async (context) => {
    const capture = captures.get(context.req.param('id'));
    if (capture === undefined)
      return context.json({ error: 'no-such-capture', message: 'that capture has ended' }, 404);
    await capture.stop();
    return context.body(null, 204);
  });

  return api;
}

function targetOf(lab: RunningLab, name: string): CaptureTarget {
  if (name === 'all') return { kind: 'lab' };
  return lab.network(name) === undefined ? { kind: 'port', port: name } : { kind: 'network', network: name };
}

/** A sink whose octets are the body of an answer. When the reader has gone they go nowhere, and the capture is being stopped. */
function sinkOf(writer: WritableStreamDefaultWriter<Uint8Array>): ByteSink {
  return {
    write: (bytes) => writer.write(bytes.slice()).catch(() => undefined),
    close: () => writer.close().catch(() => undefined),
  };
}
