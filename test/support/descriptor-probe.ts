/** Run with few descriptors: uses them up and tells, line by line, what the host's network then says. */
import { closeSync, openSync } from 'node:fs';
import { HostNetError } from '../../src/base/host-net.ts';
import { NodeHostNet } from '../../src/host/node-host-net.ts';
import { HeardStream } from './heard-stream.ts';
import { waitFor } from './wait-for.ts';

const net = new NodeHostNet();
const listener = await net.listen(
  { kind: 'tcp', endpoint: { address: new Uint8Array([127, 0, 0, 1]), port: 0 } },
  (stream) => {
    stream.write(new TextEncoder().encode('hello'));
    return new HeardStream().events;
  },
);
const { at } = listener;

async function first(heard: HeardStream): Promise<string> {
  await waitFor(() => heard.log.length > 0);
  return heard.log[0]!;
}

function connect(): Promise<string> {
  const heard = new HeardStream();
  net.connect(at, heard.events);
  return first(heard);
}

function run(): Promise<string> {
  const heard = new HeardStream();
  net.run('cat', heard.events);
  return first(heard);
}

async function refusalOf(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof HostNetError ? error.code : 'none';
}

function tell(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const taken: number[] = [];

function takeAll(): void {
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch {
    // there are no more
  }
}

/** What an attempt says without descriptors. What failed before gives its own back a little later, and an attempt may find them. */
async function without(attempt: () => Promise<string>, success: string): Promise<string> {
  for (;;) {
    takeAll();
    const said = await attempt();
    if (said !== success) return said;
  }
}

const commands = {
  exhaust: async () => {
    const endpoint = { address: new Uint8Array([127, 0, 0, 1]), port: 0 };
    const none = { received: () => undefined, refused: () => undefined };
    const listen = () => refusalOf(net.listen({ kind: 'tcp', endpoint }, () => new HeardStream().events));
    tell({
      connect: await without(connect, 'opened'),
      run: await without(run, 'opened'),
      listen: await without(listen, 'none'),
      bind: await without(() => refusalOf(net.bind(endpoint, none)), 'none'),
      sends: net.socket(4, none).send(new Uint8Array(1), { ...endpoint, port: 9 }),
    });
  },
  recover: async () => {
    for (const fd of taken) closeSync(fd);
    tell(await connect());
  },
};

process.stdin.setEncoding('utf8').on('data', (word: string) => void commands[word.trim() as keyof typeof commands]());
tell(at.kind === 'tcp' ? at.endpoint.port : 0);
