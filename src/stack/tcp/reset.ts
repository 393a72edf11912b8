import { finishChecksum, sumWords } from '../../base/checksum.ts';
import { PROTOCOL_TCP } from '../../wire/ipv4.ts';
import { writeUint16 } from '../../wire/octets.ts';
import { ACK, emitTcpHeader, RST, TCP_CHECKSUM, TCP_HEADER_LENGTH } from '../../wire/tcp.ts';
import type { FlowKey } from '../flow-table.ts';

/** A segment that ends a connection or refuses one (RFC 9293, 3.5.2); it acknowledges nothing where `acknowledgment` is undefined. */
export function emitReset(key: FlowKey, sequence: number, acknowledgment: number | undefined): Uint8Array {
  const bytes = new Uint8Array(TCP_HEADER_LENGTH);
  const flags = acknowledgment === undefined ? RST : RST | ACK;
  emitTcpHeader(bytes, 0, key.localPort, key.remotePort, sequence, acknowledgment ?? 0, flags, 0, 0);
  const sum = sumWords(key.ends, 0, key.ends.length, PROTOCOL_TCP + bytes.length);
  writeUint16(bytes, TCP_CHECKSUM, finishChecksum(sumWords(bytes, 0, bytes.length, sum)));
  return bytes;
}
