import type { HostStreamEvents } from '../../src/base/host-net.ts';

/** What a stream told. */
export class HeardStream {
  /** The events; neighbouring `received` count as one. */
  readonly log: string[] = [];
  text = '';
  octets = 0;
  /** Of all octets. */
  sum = 0;
  isPlain = true;
  readonly events: HostStreamEvents = {
    opened: () => this.log.push('opened'),
    failed: (why) => this.log.push(`failed ${why}`),
    received: (bytes) => {
      if (this.log.at(-1) !== 'received') this.log.push('received');
      this.isPlain &&= !Buffer.isBuffer(bytes);
      this.octets += bytes.length;
      for (const octet of bytes) this.sum += octet;
      if (this.octets < 10_000) this.text += new TextDecoder().decode(bytes);
    },
    ended: () => this.log.push('ended'),
    drained: () => this.log.push('drained'),
    closed: (how) => this.log.push(`closed ${how}`),
  };
}
