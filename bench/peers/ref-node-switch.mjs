/**
 * Not a product: what Node can do at all as a hub on a unix socket, for the table.
 *
 *     node ref-node-switch.mjs relay PATH    copies octets from one connection to the other, never looks at a frame
 *     node ref-node-switch.mjs batch PATH    finds the frames and touches each destination; one write per chunk read
 */
import net from 'node:net';

const [mode, path] = process.argv.slice(2);
const HIGH_WATER = 4 << 20;
const connections = new Set();

net
  .createServer((connection) => {
    const cut = { chunk: Buffer.alloc(0), seen: 0 };
    connections.add(connection);
    connection.on('data', (chunk) => (mode === 'relay' ? flood(connection, chunk) : forward(connection, chunk, cut)));
    connection.on('close', () => connections.delete(connection));
    connection.on('error', () => connections.delete(connection));
  })
  .listen(path);
process.on('SIGTERM', () => process.exit(0));

function forward(from, chunk, cut) {
  const bytes = cut.chunk.length > 0 ? Buffer.concat([cut.chunk, chunk]) : chunk;
  let at = 0;
  while (at + 4 <= bytes.length) {
    const length = bytes.readUInt32BE(at);
    if (at + 4 + length > bytes.length) break;
    cut.seen += bytes[at + 4] & 1;
    at += 4 + length;
  }
  if (at > 0) flood(from, bytes.subarray(0, at));
  cut.chunk = bytes.subarray(at);
}

/** A relay must not drop octets, or its readers lose their place; a hub drops what a slow reader leaves. */
function flood(from, chunk) {
  for (const to of connections)
    if (to !== from && (mode === 'relay' || to.writableLength < HIGH_WATER)) to.write(chunk);
}
