/** Run with few descriptors: uses them up and tells, line by line, what the host's network then says. */
import { closeSync, openSync } from 'node:fs';
import { HostNetError } from '../../src/base/host-net.ts';
import { NodeHostNet } from '../../src/host/node-host-net.ts';
import { HeardStream } from './heard-stream.ts';
import { waitFor } from './wait-for.ts';

const net = new NodeHostNet();
await net.prepare();
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
const commands = {
  exhaust: async () => {
    try {
      for (;;) taken.push(openSync('/dev/null', 'r'));
    } catch {
      const endpoint = { address: new Uint8Array([127, 0, 0, 1]), port: 0 };
      const none = { received: () => undefined, refused: () => undefined };
      tell({
        connect: await connect(),
        run: await run(),
        listen: await refusalOf(net.listen({ kind: 'tcp', endpoint }, () => new HeardStream().events)),
        bind: await refusalOf(net.bind(endpoint, none)),
        sends: net.socket(4, none).send(new Uint8Array(1), { ...endpoint, port: 9 }),
      });
    }
  },
  recover: async () => {
    for (const fd of taken) closeSync(fd);
    tell(await connect());
  },
};

process.stdin.setEncoding('utf8').on('data', (word: string) => void commands[word.trim() as keyof typeof commands]());
tell(at.kind === 'tcp' ? at.endpoint.port : 0);
