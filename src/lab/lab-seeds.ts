/** The seeds of cloud-init that the gateways of a lab serve. */
import type { SeedDocuments } from '../service/seed-server.ts';
import { SeedServer } from '../service/seed-server.ts';
import { ipv4Octets } from '../wire/ipv4-address.ts';
import type { Environment } from './environment.ts';
import type { RunningNetwork } from './running-network.ts';
import type { SeedPlan, SeedSource } from './seed-plan.ts';

/** Reads the files of the seeds, and lets each be served from now on; rejects where a file cannot be read. */
export async function serveSeeds(
  seeds: readonly SeedPlan[],
  networks: ReadonlyMap<string, RunningNetwork>,
  { openHttp, readText }: Pick<Environment, 'openHttp' | 'readText'>,
): Promise<void> {
  for (const [name, { gateway, plan }] of networks) {
    const own = seeds.filter(({ network }) => network === name);
    if (own.length === 0 || gateway === undefined || plan.gateway === undefined) continue;
    const documents = await seedDocuments(own, readText);
    const { interface: at, ipv6 } = plan.gateway;
    const address = at === undefined ? ipv6!.interface.address : ipv4Octets(at.address);
    gateway.serve(new SeedServer(address, documents, openHttp, gateway.counters));
  }
}

async function seedDocuments(seeds: readonly SeedPlan[], readText: Environment['readText']): Promise<SeedDocuments> {
  const textOf = async (source: SeedSource) => (source.kind === 'text' ? source.text : readText(source.file));
  const entries = seeds.map(async ({ node, instance, hostname, keys, userData, networkConfig }) => {
    const lines = (await Promise.all(keys.map(textOf))).flatMap((text) => text.split('\n').map((line) => line.trim()));
    const publicKeys = lines.filter((line) => line !== '' && !line.startsWith('#'));
    const about = {
      'instance-id': instance,
      'local-hostname': hostname,
      ...(publicKeys.length > 0 && { 'public-keys': publicKeys }),
    };
    return [
      [`/${node}/meta-data`, `${JSON.stringify(about)}\n`],
      [`/${node}/user-data`, await textOf(userData)],
      [`/${node}/network-config`, await textOf(networkConfig)],
      [`/${node}/vendor-data`, ''],
    ] as const;
  });
  return new Map((await Promise.all(entries)).flat());
}
