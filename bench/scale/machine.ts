import { once } from 'node:events';
import { connect } from 'node:net';
import { Counters } from '../../src/base/counters.ts';
import { nodeRandom, nodeScheduler } from '../../src/host/clock.ts';
import { StreamPort } from '../../src/host/stream-port.ts';
import { countDrops } from '../../src/link/drops.ts';
import { batchOf } from '../../src/link/frame-batch.ts';
import { Station } from '../../src/station/station.ts';
import { emitArp } from '../../src/wire/arp.ts';
import { ETHERTYPE_ARP, emitEthernet } from '../../src/wire/ethernet.ts';
import type { Mac } from '../../src/wire/mac.ts';
import { BROADCAST_MAC } from '../../src/wire/mac.ts';

const MTU = 1500;

/** A station whose frames are counted, and that can ask the same thing over and over. */
export interface ScaleMachine {
  readonly station: Station;
  /** Resolves when as many more frames have come. */
  hear(frames: number): Promise<void>;
  /** Asks everybody, that often, who has the last address of its network. */
  ask(times: number): void;
}

export async function plugInMachine(path: string, name: string, mac: Mac): Promise<ScaleMachine> {
  const station = new Station({ name, mac, mtu: MTU, scheduler: nodeScheduler, random: nodeRandom });
  const socket = connect(path);
  await once(socket, 'connect');
  const port = new StreamPort(socket, countDrops(new Counters()), () => undefined);
  let missing = 0;
  let heard: () => void = () => undefined;
  port.attach({
    push: (batch, first, end) => {
      station.port.push(batch, first, end);
      const wasMissing = missing;
      missing -= end - first;
      if (wasMissing > 0 && missing <= 0) heard();
    },
  });
  station.port.attach(port);
  return {
    station,
    hear: (frames) =>
      new Promise((resolve) => {
        missing = frames;
        heard = resolve;
      }),
    ask: (times) => {
      const own = station.address!.interface;
      const target = (own.address | (2 ** (32 - own.prefixLength) - 2)) >>> 0;
      const frame = questionOf(mac, own.address, target);
      port.push(batchOf(Array.from({ length: times }, () => frame)), 0, times);
    },
  };
}

function questionOf(mac: Mac, address: number, target: number): Uint8Array {
  const frame = new Uint8Array(60);
  const at = emitEthernet(frame, 0, BROADCAST_MAC, mac, ETHERTYPE_ARP);
  emitArp(
    { operation: 'request', senderMac: mac, senderAddress: address, targetMac: 0, targetAddress: target },
    frame,
    at,
  );
  return frame;
}
