import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CaptureRequest } from '../control/captures.ts';
import { ControlError, callControl } from '../control/client.ts';
import { EXIT_FAILURE, EXIT_USAGE, fail } from './exit.ts';
import { findLab } from './find-lab.ts';

export interface CaptureCommand {
  readonly write: string;
  readonly lab?: string;
  readonly format?: string;
  readonly snapLength?: number;
  readonly maxSize?: number;
  readonly duration?: number;
}

/** Writes what the lab records until a limit, Ctrl-C or the lab's end; the file is complete in each case. */
export async function capture(port: string, options: CaptureCommand): Promise<void> {
  const lab = await findLab(options.lab, '--lab NAME');
  const format = options.format ?? (options.write.endsWith('.pcap') ? 'pcap' : 'pcapng');
  if (format !== 'pcap' && format !== 'pcapng') fail(`--format ${format}: it must be pcap or pcapng`, EXIT_USAGE);
  const asked: CaptureRequest = {
    of: port,
    format,
    label: options.write === '-' ? 'standard output' : options.write,
    ...(options.snapLength !== undefined && { snapLength: options.snapLength }),
    ...(options.maxSize !== undefined && { maxOctets: options.maxSize }),
    ...(options.duration !== undefined && { duration: options.duration }),
  };
  const answer = await callControl(lab, 'POST', '/v1/captures', asked).catch((error: Error) => {
    fail(error.message, error instanceof ControlError ? EXIT_USAGE : EXIT_FAILURE);
  });
  const out = await openOutput(options.write);
  const path = `/v1/captures/${answer.headers['vmlan-capture']}`;
  // The lab completes the capture and then ends the answer, which ends the pipeline below.
  const complete = () => void callControl(lab, 'DELETE', path).catch(() => undefined);
  process.once('SIGINT', complete).once('SIGTERM', complete);
  if (options.write !== '-') process.stderr.write(`recording ${port} to ${options.write}; Ctrl-C completes it\n`);
  let octets = 0;
  answer.on('data', (chunk: Buffer) => {
    octets += chunk.length;
  });
  await pipeline(answer, out).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') fail(`${options.write}: ${error.message}`); // EPIPE: the reader has seen enough
  });
  if (options.write !== '-') process.stderr.write(`${options.write} is complete: ${octets} octets\n`);
}

async function openOutput(file: string): Promise<Writable> {
  if (file === '-') return process.stdout;
  const out = createWriteStream(file);
  await once(out, 'open').catch((error: Error) =>
    fail(`${file} cannot be written: ${error.message}; name another with -w`),
  );
  return out;
}
