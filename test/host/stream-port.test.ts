import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { StreamPort } from '../../src/host/stream-port.ts';
import { FakeDrops, FakePort } from '../support/fake-port.ts';
import { A, B, frame } from '../support/frames.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { waitFor } from '../support/wait-for.ts';

/** Both ends of a connection; the accepted one is paused, as a door gives it to a port. */
async function connection(): Promise<{ readonly accepted: Socket; readonly machine: Socket }> {
  const path = join(temporaryFolder(), 's');
  const server = createServer({ pauseOnConnect: true });
  const arrived = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const machine = connect(path);
  const accepted = await arrived;
  onTestFinished(() => {
    machine.destroy();
    accepted.destroy();
    server.close();
  });
  return { accepted, machine };
}

function framed(bytes: Uint8Array): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(bytes.length);
  return Buffer.concat([prefix, bytes]);
}

/** What Node's sockets have beside their public interface. */
interface Internals {
  _handle: { useUserBuffer: unknown } | null;
}

it.each([
  ['into its own buffer, by the handle', true],
  ['by data events, where Node has no such handle', false],
])('reads %s, and tells that the machine hung up', async (_how, hasHandle) => {
  const { accepted, machine } = await connection();
  const internals = accepted as unknown as Internals;
  if (!hasHandle) internals._handle!.useUserBuffer = undefined;
  const left: string[] = [];
  const heard = new FakePort();
  const port = new StreamPort(accepted, new FakeDrops(), ({ kind }) => left.push(kind));
  onTestFinished(() => port.close());
  expect(internals._handle === null).toBe(hasHandle);
  port.attach(heard);

  const sent = Array.from({ length: 300 }, (_, i) => frame(B, A, 14 + 200 * (i % 40), i));
  machine.write(Buffer.concat(sent.map(framed)));
  await waitFor(() => heard.frames.length === sent.length);
  expect(heard.frames).toEqual(sent);
  machine.end();
  await waitFor(() => left.length > 0);
  expect(left).toEqual(['hung-up']);
});
