/** The part of the control API that records. */
import * as z from 'zod';
import type { ByteSink } from '../base/files.ts';
import { WHOLE_FRAMES } from '../capture/capture-writer.ts';
import type { CaptureTarget } from '../lab/plan.ts';
import type { RunningLab } from '../lab/running-lab.ts';
import { captureStatusSchema } from '../lab/status-schemas.ts';
import type { Route } from './route.ts';
import { nothing, Refusal, route, streamRoute } from './route.ts';

const captureRequest = z.strictObject({
  of: z.string().meta({ description: 'A port, a network, or `all`', examples: ['web:lan'] }),
  format: z.enum(['pcapng', 'pcap']).default('pcapng'),
  label: z.string().default('control'),
  snapLength: z.int().min(14).max(WHOLE_FRAMES).optional().describe('Octets kept of each frame'),
  maxOctets: z.int().positive().optional().describe('Ends the capture when it is about this long'),
  duration: z.number().positive().optional().describe('Ends the capture after so many seconds'),
});

/** What is asked of a capture. */
export type CaptureRequest = z.input<typeof captureRequest>;

export const captureRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/captures',
    summary: 'Captures that are being written',
    status: 200,
    answer: z.strictObject({ captures: z.array(captureStatusSchema) }),
    handle: ({ lab }) => ({ captures: lab.captures() }),
  }),
  streamRoute({
    method: 'POST',
    path: '/v1/captures',
    summary: 'Records: the body of the answer is the capture, until it ends; its id is in the header `vmlan-capture`',
    body: captureRequest,
    status: 200,
    media: 'application/vnd.tcpdump.pcap',
    refusals: { 404: 'There is no such port or network' },
    handle: ({ lab, body }) => record(lab, body),
  }),
  route({
    method: 'DELETE',
    path: '/v1/captures/{id}',
    summary: 'Completes a capture',
    params: z.object({ id: z.string() }),
    status: 204,
    answer: nothing,
    refusals: { 404: 'That capture has ended' },
    handle: async ({ lab, params: { id } }) =>
      (await lab.endCapture(id)) ? undefined : new Refusal(404, 'no-such-capture', 'that capture has ended'),
  }),
];

function record(lab: RunningLab, asked: z.output<typeof captureRequest>) {
  const { of, format, label, snapLength, maxOctets, duration } = asked;
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
    const known = [...ports, ...lab.plan.networks.map(({ name }) => name), 'all'].join(', ');
    return new Refusal(404, 'no-such-port', `${lab.plan.name} has no port or network ${of}; it has ${known}`);
  }
  writer.closed.catch(() => capture.stop()); // the reader has gone
  return { stream: readable, headers: { 'vmlan-capture': capture.id } };
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
