import { once } from 'node:events';
import { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { joinStreams } from '../../../src/host/proxy/joined-streams.ts';

it('a connection that opens when its client has gone is cut off', async () => {
  const client = new Socket().destroy();
  await once(client, 'close');
  const far = new PassThrough();
  joinStreams(client, far);
  expect(far.destroyed).toBe(true);
});
