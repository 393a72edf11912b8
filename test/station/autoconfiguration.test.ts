import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/chance.ts';
import type { RaConfig } from '../../src/service/router-advertisements.ts';
import { RouterAdvertisements } from '../../src/service/router-advertisements.ts';
import { Stack } from '../../src/stack/stack.ts';
import { serveHttp } from '../../src/station/http-server.ts';
import { Station } from '../../src/station/station.ts';
import { formatIpv6, parseIpv6, parseIpv6Prefix } from '../../src/wire/ipv6-text.ts';
import type { RouterOption } from '../../src/wire/ndp-router-options.ts';
import { INFINITE_LIFETIME } from '../../src/wire/ndp-router-options.ts';
import { A, B } from '../support/frames.ts';
import { joinPorts } from '../support/join-ports.ts';
import { ManualScheduler } from '../support/manual-scheduler.ts';

const ROUTER = parseIpv6('fd00::1')!;
const ROUTER_LINK_LOCAL = 'fe80::5054:ff:fe00:1';
const OURS = 'fd00::5054:ff:fe00:2';

const prefixOption = (text: string, lifetime = INFINITE_LIFETIME): RouterOption => ({
  kind: 'prefix',
  prefix: parseIpv6Prefix(text)!,
  isOnLink: true,
  isAutonomous: true,
  validLifetime: lifetime,
  preferredLifetime: lifetime,
});

const raConfig = (options: readonly RouterOption[], routerLifetime = 1800): RaConfig => ({
  isManaged: false,
  hasOtherConfiguration: false,
  routerLifetime,
  preference: 'medium',
  options,
});

/** A station and a router on one wire; the router says this. */
function linkTo(config: RaConfig | undefined, loses: (frame: number) => boolean = () => false) {
  const scheduler = new ManualScheduler();
  const router = new Stack({ mac: A, mtu: 1500, scheduler, random: new SeededRandom(1) });
  router.configureIpv6({ interface: { address: ROUTER, prefixLength: 64 } });
  const advertisements = new RouterAdvertisements(config, scheduler, new SeededRandom(2));
  const station = new Station({ name: 'vm', mac: B, mtu: 1500, scheduler, random: new SeededRandom(3) });
  joinPorts(station.port, router, loses);
  const start = async (timeout = 20_000) => {
    const configured = station.autoconfigure(timeout);
    await scheduler.run(timeout + 1);
    return (await configured) && formatIpv6((await configured)!.interface.address);
  };
  advertisements.start(router);
  return { scheduler, router, advertisements, station, start };
}

describe('a machine on a link with a router (RFC 4862)', () => {
  it('makes itself an address of the prefix and its MAC, and knows the router and its name servers', async () => {
    const servers = { kind: 'dns-servers', addresses: [ROUTER], lifetime: 600 } as const;
    const { station, start } = linkTo(raConfig([prefixOption('fd00::/64'), servers]));
    expect(await start()).toBe(OURS);
    expect(formatIpv6(station.ipv6!.router!)).toBe(ROUTER_LINK_LOCAL);
    expect(station.ipv6!.dns).toEqual([ROUTER]);
  });

  it('pings it and reads its pages', async () => {
    const { station, router, scheduler, start } = linkTo(raConfig([prefixOption('fd00::/64')]));
    await start();
    const ping = station.ping(ROUTER);
    await scheduler.run(100);
    expect(await ping).toMatchObject({ kind: 'reply' });
    serveHttp(router.tcp, 80, () => 'hello');
    const page = station.fetchHttp({ address: ROUTER, port: 80 }, 'router', '/');
    await scheduler.run(1000);
    expect(await page).toEqual({ kind: 'done', status: 200, octets: new TextEncoder().encode('hello') });
  });

  it('asks again where the question or the answer was lost', async () => {
    const { start } = linkTo(raConfig([prefixOption('fd00::/64')]), (frame) => frame < 2);
    expect(await start()).toBe(OURS);
  });

  it.each([
    ['nobody is a router', undefined],
    [
      'no prefix is for autonomous addresses',
      raConfig([{ ...prefixOption('fd00::/64'), isAutonomous: false } as RouterOption]),
    ],
    ['the prefix has no room for a MAC', raConfig([prefixOption('fd00::/80')])],
    ['the prefix is link-local', raConfig([prefixOption('fe80::/64')])],
  ])('has none where %s', async (_, config) => {
    const { station, start } = linkTo(config);
    expect(await start()).toBeUndefined();
    expect(station.ipv6).toBeUndefined();
  });

  it('gives its address up when its lifetime ends and nobody says it again', async () => {
    const { station, advertisements, scheduler, start } = linkTo(raConfig([prefixOption('fd00::/64', 900)]));
    expect(await start()).toBe(OURS);
    advertisements.stop();
    await scheduler.run(890_000, 1000);
    expect(station.ipv6).toMatchObject({ router: undefined });
    await scheduler.run(30_000, 1000);
    expect(station.ipv6).toBeUndefined();
  });

  it('is not talked out of it in less than two hours', async () => {
    const { station, advertisements, scheduler, start } = linkTo(raConfig([prefixOption('fd00::/64')]));
    await start();
    advertisements.configure(raConfig([prefixOption('fd00::/64', 0)]));
    await scheduler.run(7_100_000, 1000);
    expect(station.ipv6).toBeDefined();
  });

  it('stays silent when its power is cut', async () => {
    const { station, scheduler, advertisements, start } = linkTo(undefined);
    await start(1000);
    station.cutPower();
    advertisements.stop();
    await scheduler.run(20_000, 1000);
    expect(scheduler.pending).toBe(0);
  });
});
