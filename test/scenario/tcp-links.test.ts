import { expect, it } from 'vitest';
import type { LinkSpec } from '../support/tcp-link.ts';
import { Ear, LEFT, RIGHT, stream, TcpLink } from '../support/tcp-link.ts';

const OCTETS = 2 * 1024 * 1024;

/** Sends `OCTETS` each way at once and closes; what the link did to it. */
function transfer(spec: LinkSpec, mtu = 1500) {
  const link = new TcpLink(spec, { mtu });
  const there = stream(OCTETS, 3);
  const back = stream(OCTETS, 4);
  const server = new Ear();
  const client = new Ear();
  link.right.tcp.listen(80, (request) => {
    server.connection = request.accept(server);
    server.connection.send(back);
    server.connection.finish();
  });
  client.connection = link.left.tcp.connect(LEFT(0), RIGHT(80), client);
  client.connection.send(there);
  client.connection.finish();
  while ((client.end === undefined || server.end === undefined) && link.scheduler.now() < 3_600_000)
    link.scheduler.advance(10);
  return {
    ends: `${client.end} ${server.end}`,
    identical: Buffer.compare(server.bytes, there) === 0 && Buffer.compare(client.bytes, back) === 0,
    seconds: link.scheduler.now() / 1000,
    frames: link.frames,
    lost: link.lost,
  };
}

it('carries every octet both ways over links that lose, reorder and duplicate', () => {
  const table = {
    clean: transfer({}),
    'large segments': transfer({}, 9000),
    'loss 1%': transfer({ loss: 0.01, delay: 5 }),
    'loss 10%': transfer({ loss: 0.1, delay: 5 }),
    'jitter 4 ms': transfer({ delay: 5, jitter: 4 }),
    'duplicates 20%': transfer({ delay: 5, duplicate: 0.2 }),
    everything: transfer({ delay: 5, jitter: 3, loss: 0.03, duplicate: 0.05 }),
  };
  expect(Object.values(table).map(({ ends, identical }) => `${ends} ${identical}`)).toEqual(
    Object.values(table).map(() => 'finished finished true'),
  );
  expect(table).toMatchSnapshot();
});
