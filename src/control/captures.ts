/** The part of the control API that records. */
import type { Hono } from 'hono';
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

export function offerCaptures(api: Hono, lab: RunningLab): void {
  const captures = new Map<string, RunningCapture>();
  let lastId = 0;

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
