import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { firstOpenPort } from '../../src/host/first-open-port.ts';

it('below the first open port, and only there, the system refuses to listen', async () => {
  const first = firstOpenPort();
  expect(first).toBeLessThanOrEqual(1024);
  // 1 (tcpmux) is the lowest that can be asked for, and nobody serves it
  expect((await codeOfListening(first > 1 ? first - 1 : 1)) === 'EACCES').toBe(first > 1);
});

function codeOfListening(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(undefined)));
  });
}
