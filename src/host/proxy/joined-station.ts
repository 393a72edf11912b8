import { Counters } from '../../base/counters.ts';
import { countDrops } from '../../link/drops.ts';
import { Station } from '../../station/station.ts';
import { parseMac } from '../../wire/mac.ts';
import { nodeRandom, nodeScheduler } from '../clock.ts';
import { connectUnix } from '../connect-unix.ts';
import { StreamPort } from '../stream-port.ts';

/** The port that a lab made for a station. */
export interface StationPort {
  readonly port: string;
  readonly socket: string;
  readonly mac: string;
  readonly mtu: number;
}

/** A station of our own that is plugged in to a lab of another process; `onGone` hears that the lab has cut it off. */
export async function joinStation({ port, socket, mac, mtu }: StationPort, onGone: () => void): Promise<Station> {
  const lab = new StreamPort(await connectUnix(socket), countDrops(new Counters()), onGone);
  const own = { name: port, mac: parseMac(mac)!, mtu, scheduler: nodeScheduler, random: nodeRandom };
  const station = new Station(own);
  station.port.attach({
    push: (batch, first, end) => lab.push(batch, first, end),
    egress: { queuedTowards: () => lab.queued },
  });
  lab.attach({
    push: (batch, first, end) => station.port.push(batch, first, end),
    drained: () => station.port.roomElsewhere?.(),
  });
  return station;
}
