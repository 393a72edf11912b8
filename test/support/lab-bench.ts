import type { DoorPlan, LabPlan } from '../../src/lab/plan.ts';
import { portName } from '../../src/lab/plan.ts';
import { readLab } from '../../src/lab/read-lab.ts';
import { RunningLab } from '../../src/lab/running-lab.ts';
import { Station } from '../../src/station/station.ts';
import { MemoryEnvironment } from './memory-environment.ts';

/** A lab in memory, each of whose cards is a built-in station that has booted: by DHCP or, without IPv4, by a router's word. */
export class LabBench {
  readonly environment = new MemoryEnvironment();
  readonly plan: LabPlan;
  readonly lab: RunningLab;
  readonly #stations = new Map<string, Station>();

  static async start(text: string): Promise<LabBench> {
    const read = readLab(text, 'lab.yaml');
    if ('issues' in read) throw new Error(JSON.stringify(read.issues));
    const environment = new MemoryEnvironment();
    const doors = read.plan.nics.map((nic): DoorPlan => {
      const port = portName(nic);
      return { mode: 'listen', address: { kind: 'unix', path: port }, network: nic.network, port };
    });
    const bench = new LabBench(read.plan, environment, await RunningLab.start(read.plan, doors, environment));
    await bench.#boot();
    return bench;
  }

  private constructor(plan: LabPlan, environment: MemoryEnvironment, lab: RunningLab) {
    this.plan = plan;
    this.environment = environment;
    this.lab = lab;
  }

  async #boot(): Promise<void> {
    const { scheduler, random } = this.environment;
    const booting: Promise<unknown>[] = [];
    for (const nic of this.plan.nics) {
      const { mtu, gateway } = this.plan.networks.find(({ name }) => name === nic.network)!;
      const station = new Station({ name: nic.node, mac: nic.mac, mtu, scheduler, random });
      this.environment.arrive(`unix:${portName(nic)}`, station.port);
      this.#stations.set(portName(nic), station);
      booting.push(gateway?.interface === undefined ? station.autoconfigure(3000) : station.boot(5000));
    }
    await scheduler.run(3000);
    await Promise.all(booting);
  }

  /** By its port. */
  station(port: string): Station {
    return this.#stations.get(port)!;
  }

  /** Does `work` while the clock runs for `time`. */
  async during<Result>(work: Promise<Result>, time = 6000): Promise<Result> {
    await this.environment.scheduler.run(time);
    return work;
  }
}
