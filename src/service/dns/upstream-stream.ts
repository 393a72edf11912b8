/** One question over TCP, RFC 7766, to a name server whose answer does not fit into a datagram. */
import type { HostNet, HostStream } from '../../base/host-net.ts';
import { joined } from '../../base/joined.ts';
import { readUint16, writeUint16 } from '../../wire/octets.ts';
import type { Sent, Waiting } from './upstream-sockets.ts';

/** Sends the message behind its length, with this id. */
export function askOverStream(net: HostNet, message: Uint8Array, id: number, sent: Sent): Waiting {
  const framed = new Uint8Array(message.length + 2);
  writeUint16(framed, 0, message.length);
  framed.set(message, 2);
  writeUint16(framed, 2, id);
  let answer: Uint8Array = new Uint8Array(0);
  let isOver = false;
  const fail = (): void => {
    if (isOver) return;
    isOver = true;
    sent.refused();
  };
  const giveUp = (): void => {
    isOver = true;
    stream.reset();
  };
  const stream: HostStream = net.connect(
    { kind: 'tcp', endpoint: sent.server },
    {
      opened: () => stream.write(framed),
      failed: fail,
      received: (bytes) => {
        if (isOver) return;
        answer = joined([answer, bytes]);
        if (answer.length < 2 || answer.length < 2 + readUint16(answer, 0)) return;
        const whole = answer.subarray(2, 2 + readUint16(answer, 0));
        giveUp();
        if (whole.length < 2 || readUint16(whole, 0) !== id || !sent.received(whole)) sent.refused();
      },
      ended: () => {
        if (isOver) return;
        giveUp();
        sent.refused();
      },
      drained: () => undefined,
      closed: fail,
    },
  );
  return {
    forget: () => {
      if (!isOver) giveUp();
    },
  };
}
