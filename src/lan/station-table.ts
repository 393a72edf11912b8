/**
 * Where stations are: (VLAN, MAC) -> port, learned from source addresses and forgotten 300 s after a station was last heard
 * (IEEE 802.1Q, 8.8). A port holds a limited number of stations, so one machine that invents addresses cannot push out others.
 */
import type { Millis, Scheduler, Timer } from '../base/time.ts';
import type { Port } from '../link/port.ts';
import type { Mac } from '../wire/mac.ts';

export const AGEING_TIME: Millis = 300_000;
/** Stations of one port; a frame from one more is forwarded, its source is not learned. */
export const STATIONS_PER_PORT = 4096;

export interface Station {
  readonly vlan: number;
  readonly mac: Mac;
  port: Port;
  /** When it last sent something. */
  heard: Millis;
}

export class StationTable {
  /** One map per VLAN, 0 for untagged frames: a key of 60 bits would not fit a number. */
  readonly #vlans = new Map<number, Map<Mac, Station>>();
  readonly #population = new Map<Port, number>();
  readonly #scheduler: Scheduler;
  readonly #sweep: Timer;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.#sweep = scheduler.timer(() => this.#expire());
  }

  /** The station is behind `port`, wherever it was before. */
  learn(vlan: number, mac: Mac, port: Port, now: Millis): void {
    let stations = this.#vlans.get(vlan);
    const known = stations?.get(mac);
    if (known !== undefined) {
      known.heard = now;
      if (known.port !== port) this.#move(known, port);
      return;
    }
    if (!this.#settle(port)) return;
    if (stations === undefined) {
      stations = new Map();
      this.#vlans.set(vlan, stations);
    }
    if (this.size === 0) this.#sweep.arm(now + AGEING_TIME);
    stations.set(mac, { vlan, mac, port, heard: now });
  }

  /** The port of a station that was heard within the ageing time. */
  find(vlan: number, mac: Mac, now: Millis): Port | undefined {
    const station = this.#vlans.get(vlan)?.get(mac);
    return station !== undefined && now - station.heard < AGEING_TIME ? station.port : undefined;
  }

  forget(port: Port): void {
    this.#removeWhere((station) => station.port === port);
    this.#population.delete(port);
  }

  get size(): number {
    let size = 0;
    for (const stations of this.#vlans.values()) size += stations.size;
    return size;
  }

  *[Symbol.iterator](): Iterator<Station> {
    for (const stations of this.#vlans.values()) yield* stations.values();
  }

  #move(station: Station, port: Port): void {
    if (!this.#settle(port)) return;
    this.#unsettle(station.port);
    station.port = port;
  }

  #settle(port: Port): boolean {
    const population = this.#population.get(port) ?? 0;
    if (population >= STATIONS_PER_PORT) return false;
    this.#population.set(port, population + 1);
    return true;
  }

  #unsettle(port: Port): void {
    this.#population.set(port, (this.#population.get(port) ?? 1) - 1);
  }

  #expire(): void {
    const now = this.#scheduler.now();
    this.#removeWhere((station) => now - station.heard >= AGEING_TIME);
    if (this.size > 0) this.#sweep.arm(now + AGEING_TIME);
  }

  #removeWhere(isGone: (station: Station) => boolean): void {
    for (const [vlan, stations] of this.#vlans) {
      for (const station of stations.values()) {
        if (!isGone(station)) continue;
        stations.delete(station.mac);
        this.#unsettle(station.port);
      }
      if (stations.size === 0) this.#vlans.delete(vlan);
    }
  }
}
