/** A machine of our own TCP/IP behind a stream socket, which opens as many connections as it is told and uses each. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Endpoint } from '../../src/base/endpoint.ts';
import { nodeRandom, nodeScheduler } from '../../src/host/clock.ts';
import { StreamPort } from '../../src/host/stream-port.ts';
import { Stack } from '../../src/stack/stack.ts';
import type { TcpConnection, TcpEnd } from '../../src/stack/tcp-layer.ts';
import { ipv4Octets, parseIpv4 } from '../../src/wire/ipv4-address.ts';

const MAC = 0x5254000c0001;
const OWN = parseIpv4('10.0.2.15')!;
const GATEWAY = parseIpv4('10.0.2.2')!;
const OCTET = Uint8Array.of(0x78);

/** One conversation: it opens, an octet comes back, and it is held or finished. */
export interface Call {
  readonly connection: TcpConnection;
  /** Milliseconds until the first echo; undefined until then. */
  echoed: number | undefined;
  echoes: number;
  end: TcpEnd | undefined;
}

export class CallingMachine {
  readonly stack = new Stack({ mac: MAC, mtu: 1500, scheduler: nodeScheduler, random: nodeRandom });
  readonly calls = new Set<Call>();
  readonly latencies: number[] = [];
  /** How calls ended that are over, and how many. */
  readonly ends = new Map<TcpEnd, number>();
  #onChange: () => void = () => undefined;
  #port: StreamPort | undefined;
  #isUnplugged = false;

  static async plugIn(path: string): Promise<CallingMachine> {
    const guest = new CallingMachine();
    const socket = connect(path);
    await once(socket, 'connect');
    const port = new StreamPort(socket, guest.stack, () => {
      guest.#isUnplugged = true;
      guest.#onChange();
    });
    guest.#port = port;
    guest.stack.configure({ interface: { address: OWN, prefixLength: 24 }, defaultRoute: GATEWAY });
    port.attach(guest.stack);
    guest.stack.attach(port);
    return guest;
  }

  /** Opens a conversation; one that is not held is finished once its octet came back. */
  call(to: Endpoint, isHeld: boolean): void {
    const began = performance.now();
    const connection = this.stack.tcp.connect({ address: ipv4Octets(OWN), port: 0 }, to, {
      opened: () => connection.send(OCTET),
      received: (bytes) => {
        connection.consumed(bytes.length);
        call.echoes += bytes.length;
        if (call.echoed === undefined) {
          call.echoed = performance.now() - began;
          this.latencies.push(call.echoed);
          if (!isHeld) connection.finish();
        }
        this.#onChange();
      },
      ended: () => undefined,
      drained: () => undefined,
      closed: (how) => {
        call.end = how;
        this.calls.delete(call);
        this.ends.set(how, (this.ends.get(how) ?? 0) + 1);
        this.#onChange();
      },
    });
    const call: Call = { connection, echoed: undefined, echoes: 0, end: undefined };
    this.calls.add(call);
  }

  /** Another octet on each conversation. */
  sendOnAll(): void {
    for (const { connection } of this.calls) connection.send(OCTET);
  }

  finishAll(): void {
    for (const { connection } of this.calls) connection.finish();
  }

  /** Resets what is open and pulls the plug. */
  unplug(): void {
    this.stack.tcp.resetAll();
    this.#port?.close();
  }

  /** Resolves when it is so, or says what is missing. */
  until(what: string, isSo: () => boolean, seconds = 60): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (after: () => void) => {
        clearTimeout(limit);
        this.#onChange = () => undefined;
        after();
      };
      const fail = (why: string) => {
        const ended = JSON.stringify([...this.ends]);
        settle(() => reject(new Error(`${what}: ${why}; ${this.calls.size} are open, ${ended} ended`)));
      };
      const limit = setTimeout(() => fail(`not within ${seconds} s`), seconds * 1000);
      this.#onChange = () => {
        if (isSo()) settle(resolve);
        else if (this.#isUnplugged) fail('vmlan hung up');
      };
      this.#onChange();
    });
  }
}
