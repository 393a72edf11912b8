import { SeededRandom } from '../../src/base/chance.ts';
import { batchOf, sliceOf } from '../../src/link/frame-batch.ts';
import type { StaticRoute } from '../../src/router/router.ts';
import { Router } from '../../src/router/router.ts';
import { Stack } from '../../src/stack/stack.ts';
import type { Ipv4Interface } from '../../src/wire/ipv4-address.ts';
import { parseIpv4Interface } from '../../src/wire/ipv4-address.ts';
import type { Mac } from '../../src/wire/mac.ts';
import { ManualScheduler } from './manual-scheduler.ts';
import { arpFrame, ip, requestFrom, tell } from './stack-peer.ts';

/** One link of the router under test: what the router says there is kept, what the test says there comes in. */
export class BenchLink {
  readonly mac: Mac;
  readonly stack: Stack;
  readonly interface: Ipv4Interface;
  /** Frames per push. */
  readonly pushes: number[] = [];
  #heard: Uint8Array[] = [];

  constructor(scheduler: ManualScheduler, mac: Mac, own: string, mtu: number, takesTransit: boolean) {
    this.mac = mac;
    this.interface = parseIpv4Interface(own)!;
    this.stack = new Stack({ mac, mtu, scheduler, random: new SeededRandom(mac), takesTransit });
    this.stack.configure({ interface: this.interface });
    this.stack.attach({
      push: (batch, first, end) => {
        this.pushes.push(end - first);
        for (let i = first; i < end; i++) this.#heard.push(sliceOf(batch, i));
      },
    });
  }

  /** Frames from the link, in one batch. */
  deliver(...frames: readonly Uint8Array[]): void {
    this.stack.push(batchOf(frames), 0, frames.length);
  }

  /** A machine of the link asks for the router, which then knows it. */
  introduce(mac: Mac, address: string): void {
    this.deliver(arpFrame(requestFrom(mac, ip(address), this.interface.address)));
    this.take();
  }

  /** What the router said since the last call. */
  take(): Uint8Array[] {
    const heard = this.#heard;
    this.#heard = [];
    this.pushes.length = 0;
    return heard;
  }

  said(): string[] {
    return this.take().map(tell);
  }

  drops(): Record<string, number> {
    return this.stack.drops.toRecord();
  }
}

/** A router on two links, 10.1.0.0/24 and 10.2.0.0/24, where it is .1, and 10.3.0.0/16 behind 10.2.0.9. */
export function routerBench({
  mtus = [1500, 1500] as readonly [number, number],
  routes = [{ to: '10.3.0.0/16', via: '10.2.0.9' }],
  takesTransit = false,
} = {}) {
  const scheduler = new ManualScheduler();
  const near = new BenchLink(scheduler, 0x525500000001, '10.1.0.1/24', mtus[0], takesTransit);
  const far = new BenchLink(scheduler, 0x525500000002, '10.2.0.1/24', mtus[1], false);
  const router = new Router();
  const planned: StaticRoute[] = routes.map(({ to, via }) => ({ to: parseIpv4Interface(to)!, via: ip(via) }));
  router.configure([near, far], planned);
  return { scheduler, near, far, router };
}
