/**
 * The services of a machine far away, for guests that come through a gateway. Writes a line for each thing that a test waits for.
 *
 *     8080  GET /octets/N: N octets, the same each time; PUT: answers how many octets came, and their SHA-256
 *     9000  answers what came, in capitals, once the client has finished
 *     9001  says bye and finishes, then reads on; what comes is written as a line
 */
import { createCipheriv, createHash } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const CHUNK = Buffer.alloc(1 << 16);

/** The key stream of a cipher: nothing on the way can compress or guess it. */
function* octets(length) {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
  for (let left = length; left > 0; left -= CHUNK.length)
    yield cipher.update(CHUNK.subarray(0, Math.min(left, CHUNK.length)));
}

createHttpServer(async (request, response) => {
  const length = Number(/^\/octets\/(\d+)$/.exec(request.url)?.[1]);
  if (request.method === 'PUT') {
    const hash = createHash('sha256');
    let received = 0;
    for await (const chunk of request) {
      hash.update(chunk);
      received += chunk.length;
    }
    response.end(`${received} ${hash.digest('hex')}\n`);
  } else if (Number.isNaN(length)) {
    response.writeHead(404).end();
  } else {
    response.setHeader('content-length', length);
    await pipeline(Readable.from(octets(length)), response).catch(() => response.destroy());
  }
}).listen(8080);

createServer({ allowHalfOpen: true }, (socket) => {
  whole(socket, (text) => socket.end(text.toUpperCase()));
}).listen(9000);

createServer({ allowHalfOpen: true }, (socket) => {
  socket.end('bye\n');
  whole(socket, (text) => say(`after bye came ${text.trim()}`));
}).listen(9001, () => say('listening'));

/** Calls back when the client has finished. */
function whole(socket, then) {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.once('end', () => then(text)).on('error', () => socket.destroy());
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
