/** Checks what a lab file says to cloud-init, and makes the seeds of it. JSON is YAML, which cloud-init reads. */
import { SEED_PORT } from '../service/seed-server.ts';
import { formatIpv4 } from '../wire/ipv4-address.ts';
import { formatIpv6 } from '../wire/ipv6-text.ts';
import { formatMac } from '../wire/mac.ts';
import type { CheckedNetwork, Report } from './check-networks.ts';
import type { CheckedNic } from './check-nics.ts';
import { deriveUuid } from './derive.ts';
import type { SoundLab } from './schema-issues.ts';
import type { SeedPlan, SeedSource } from './seed-plan.ts';

export function checkSeeds(
  lab: string,
  sound: SoundLab,
  networks: readonly CheckedNetwork[],
  nics: readonly CheckedNic[],
  report: Report,
): readonly SeedPlan[] {
  return Object.entries(sound.lab?.nodes ?? {}).flatMap(([node, { 'cloud-init': entry }]) => {
    if (entry === undefined) return [];
    const path = ['nodes', node, 'cloud-init'];
    const cards = nics.filter((nic) => nic.node === node);
    const [first] = cards.flatMap((nic) => networks.filter((each) => each.name === nic.network && isServed(each)));
    if (first?.gateway === undefined) {
      if (!sound.hasFaultIn(['networks']) && !sound.hasFaultIn(['nodes', node, 'nics'])) {
        const message = `no network of ${node} has a gateway with DHCP, from which cloud-init could read`;
        report({
          code: 'no-dhcp',
          path,
          message,
          hint: 'plug it into one that has, or remove cloud-init',
          isAboutKey: true,
        });
      }
      return [];
    }
    const keys = entry['ssh-authorized-keys'] ?? [];
    const { 'user-data': userData = {}, 'network-config': networkConfig = networkOf(cards, networks) } = entry;
    return [
      {
        node,
        network: first.name,
        url: `http://${placeOf(first)}:${SEED_PORT}/${node}/`,
        instance: deriveUuid(lab, node),
        hostname: entry.hostname ?? node,
        keys: (Array.isArray(keys) ? keys : [keys]).filter((key) => key !== undefined).map(keySource),
        userData: sourceOf(userData, '#cloud-config\n'),
        networkConfig: sourceOf(networkConfig, ''),
      },
    ];
  });
}

function isServed(network: CheckedNetwork): boolean {
  const { gateway } = network;
  return gateway?.pool !== undefined || isIpv6Only(network);
}

/** There machines have addresses by SLAAC, if not by DHCPv6. */
function isIpv6Only({ gateway, ipv6 }: CheckedNetwork): boolean {
  return gateway !== undefined && gateway.interface === undefined && ipv6 !== undefined;
}

/** The gateway as the host of a URL. */
function placeOf({ gateway, ipv6 }: CheckedNetwork): string {
  if (gateway?.interface !== undefined) return formatIpv4(gateway.interface.address);
  return `[${formatIpv6(ipv6!.interface.address)}]`;
}

function sourceOf(document: string | Readonly<Record<string, unknown>>, head: string): SeedSource {
  if (typeof document === 'string') return { kind: 'file', file: document };
  return { kind: 'text', text: `${head}${JSON.stringify(document)}\n` };
}

/** The names of OpenSSH's key types (sshd(8), AUTHORIZED_KEYS FILE FORMAT). */
const KEY_TYPE = /^(ssh|ecdsa|sk-ssh|sk-ecdsa)-\S+\s/;

function keySource(key: string): SeedSource {
  return KEY_TYPE.test(key) ? { kind: 'text', text: key } : { kind: 'file', file: key };
}

/** Version 2 of cloud-init's network configuration; cards are known by their addresses. */
function networkOf(cards: readonly CheckedNic[], networks: readonly CheckedNetwork[]): Record<string, unknown> {
  const serving = (network: string) => networks.find(({ name }) => name === network);
  const ethernets = cards.map(({ name, mac, network }) => [
    name,
    { match: { macaddress: formatMac(mac) }, ...protocolsOf(serving(network)) },
  ]);
  return { version: 2, ethernets: Object.fromEntries(ethernets) };
}

/** A network without IPv4 is known by its router advertisements; cloud-init waits for networks that give addresses. */
function protocolsOf(network: CheckedNetwork | undefined): Record<string, boolean> {
  const hasDhcp = network?.gateway?.pool !== undefined;
  if (network === undefined || !isIpv6Only(network)) return { dhcp4: hasDhcp, optional: !hasDhcp };
  return { dhcp4: false, 'accept-ra': true, dhcp6: network.ipv6?.entry.dhcp === 'stateful', optional: false };
}
