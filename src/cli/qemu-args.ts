import { formatIssue } from '../base/issue.ts';
import { getControl } from '../control/client.ts';
import { makeRuntimeFolder } from '../host/folders.ts';
import { installedQemu } from '../host/qemu-version.ts';
import type { NodeStatus } from '../lab/node-status-schema.ts';
import type { LabPlan, NicPlan } from '../lab/plan.ts';
import type { LabStatus } from '../lab/status-schemas.ts';
import { seedArguments } from '../qemu/machine-arguments.ts';
import { netdevArguments } from '../qemu/netdev-arguments.ts';
import { shellQuote, shellSubstitution } from '../qemu/shell-words.ts';
import { formatMac } from '../wire/mac.ts';
import { EXIT_USAGE, fail } from './exit.ts';
import { findLab } from './find-lab.ts';
import { readLabFile } from './lab-file.ts';
import { print } from './report.ts';
import { nicSockets } from './sockets.ts';

export interface QemuArgsCommand {
  readonly file?: string;
  readonly lab?: string;
  readonly qemu: string;
  readonly json?: true;
}

/** A card of the machine, with what its network decides about it. */
interface Card {
  readonly nic: Pick<NicPlan, 'node' | 'name'>;
  readonly mac: string;
  readonly mtu: number;
}

export async function qemuArgs(node: string, options: QemuArgsCommand): Promise<void> {
  const { lab, cards, seeds } =
    options.file === undefined ? await runningCards(options.lab) : plannedCards(readLabFile(options.file, {}));
  const own = cards.filter(({ nic }) => nic.node === node);
  if (own.length === 0) {
    const nodes = [...new Set(cards.map(({ nic }) => nic.node))];
    const has =
      nodes.length > 0
        ? `it has ${nodes.join(', ')}`
        : 'any machine may plug in with the words that vmlan serve printed';
    fail(`lab ${lab} has no machine ${node}; ${has}`, EXIT_USAGE);
  }
  const version = await installedQemu(options.qemu);
  if (version === undefined) fail(`${options.qemu} did not tell its version; install it or name another with --qemu`);
  const folder = makeRuntimeFolder(lab); // a QEMU that listens makes its socket there
  const words = own.flatMap(({ nic, mac, mtu }) => {
    const { listen, connect } = nicSockets(folder, nic);
    const sockets = { listen: { kind: 'unix', path: listen }, connect: { kind: 'unix', path: connect } } as const;
    const result = netdevArguments({ name: nic.name, sockets, mac, mtu }, version);
    return 'words' in result ? result.words : fail(formatIssue(result.issue));
  });
  const seed = seeds.get(node);
  if (seed !== undefined) words.push(...seedArguments(seed));
  const forShell = process.stdout.isTTY ? shellQuote : shellSubstitution; // who sees the line may paste it
  print(options.json ? JSON.stringify(words) : forShell(words));
}

interface Nodes {
  readonly lab: string;
  readonly cards: readonly Card[];
  /** Where cloud-init finds its seed, by node. */
  readonly seeds: ReadonlyMap<string, string>;
}

function plannedCards(plan: LabPlan): Nodes {
  const mtuOf = new Map(plan.networks.map(({ name, mtu }) => [name, mtu]));
  return {
    lab: plan.name,
    cards: plan.nics.map((nic) => ({ nic, mac: formatMac(nic.mac), mtu: mtuOf.get(nic.network)! })),
    seeds: new Map((plan.seeds ?? []).map(({ node, url }) => [node, url])),
  };
}

async function runningCards(name: string | undefined): Promise<Nodes> {
  const control = await findLab(name, '--lab NAME');
  const status = await getControl<LabStatus>(control, '/v1/status');
  const { nodes } = await getControl<{ nodes: readonly NodeStatus[] }>(control, '/v1/nodes');
  const mtuOf = new Map(status.networks.map(({ name: network, mtu }) => [network, mtu]));
  const cards = status.ports.flatMap(({ network, mac, nic }) =>
    nic === undefined || mac === undefined ? [] : [{ nic, mac, mtu: mtuOf.get(network)! }],
  );
  const seeds = nodes.flatMap(({ node, seed }) => (seed === undefined ? [] : [[node, seed] as const]));
  return { lab: status.name, cards, seeds: new Map(seeds) };
}
