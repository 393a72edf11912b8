/** What can stand next on a command line; the shells' scripts of `completion.ts` ask for it. */
import { setTimeout } from 'node:timers/promises';
import type { Command, Option } from 'commander';
import { getControl } from '../control/client.ts';
import type { StatusAnswer } from '../control/statuses.ts';
import { controlSocket } from '../host/folders.ts';
import { labSurroundings } from '../host/lab-surroundings.ts';
import { portName } from '../lab/plan.ts';
import { readLab } from '../lab/read-lab.ts';
import { runningLabs } from './find-lab.ts';
import { print } from './report.ts';

/** Who waits at a prompt does not wait for a lab that hangs. */
const PATIENCE = 500;

/** `words`: those behind the program's name up to the cursor; the last, which may be empty, is being written. */
export async function complete(vmlan: Command, words: readonly string[]): Promise<void> {
  for (const { word, about } of await candidates(vmlan, words)) print(about === '' ? word : `${word}\t${about}`);
}

interface Candidate {
  readonly word: string;
  readonly about: string;
}

/** None where the name of a file can stand: shells know them better. */
export async function candidates(vmlan: Command, words: readonly string[]): Promise<readonly Candidate[]> {
  const last = words.at(-1) ?? '';
  const place = placeAfter(vmlan, words.slice(0, -1));
  const [option, value] = last.split('=', 2) as [string, string?];
  if (value !== undefined && place.awaited === undefined) {
    const awaited = optionNamed(place.command, option);
    const found = awaited === undefined ? [] : await valuesOf(awaited, place);
    return found.map(({ word, about }) => ({ word: `${option}=${word}`, about })).filter(beginsWith(last));
  }
  return (await candidatesAt(place, last.startsWith('-'))).filter(beginsWith(last));
}

function beginsWith(text: string): (candidate: Candidate) => boolean {
  return ({ word }) => word.startsWith(text);
}

interface Place {
  readonly command: Command;
  /** The option whose value stands here. */
  readonly awaited?: Option;
  /** Arguments before it. */
  readonly count: number;
  /** Values of options before it. */
  readonly said: ReadonlyMap<string, string>;
  /** Behind `--`. */
  readonly isRaw?: true;
}

function placeAfter(vmlan: Command, words: readonly string[]): Place {
  const said = new Map<string, string>();
  let command = vmlan;
  let count = 0;
  let awaited: Option | undefined;
  for (const word of words) {
    const [name, value] = word.split('=', 2) as [string, string?];
    const option = optionNamed(command, name);
    const verb = count === 0 ? command.commands.find((each) => each.name() === word) : undefined;
    if (awaited !== undefined) {
      said.set(awaited.attributeName(), word);
      awaited = undefined;
    } else if (word === '--') return { command, count, said, isRaw: true };
    else if (option !== undefined && value !== undefined) said.set(option.attributeName(), value);
    else if (option?.required) awaited = option;
    else if (verb !== undefined) command = verb;
    else if (!word.startsWith('-')) count++;
  }
  return { command, count, said, ...(awaited !== undefined && { awaited }) };
}

function optionNamed(command: Command, name: string): Option | undefined {
  return command.options.find(({ long, short }) => long === name || short === name);
}

async function candidatesAt(place: Place, isOption: boolean): Promise<readonly Candidate[]> {
  const { command, awaited, count } = place;
  if (awaited !== undefined) return valuesOf(awaited, place);
  if (isOption && place.isRaw === undefined) {
    const options = command.createHelp().visibleOptions(command);
    return options.map(({ long, short, description }) => ({ word: long ?? short!, about: description }));
  }
  if (count === 0 && command.commands.length > 0) {
    const verbs = command.createHelp().visibleCommands(command);
    return verbs.map((verb) => ({ word: verb.name(), about: verb.description() }));
  }
  const { registeredArguments } = command;
  const argument = registeredArguments[count] ?? registeredArguments.findLast(({ variadic }) => variadic);
  if (argument === undefined) return [];
  const kind = KINDS[`${command.name()} ${argument.name()}`] ?? KINDS[argument.name()];
  return argument.argChoices?.map((word) => ({ word, about: '' })) ?? (await kind?.(place)) ?? [];
}

async function valuesOf(option: Option, place: Place): Promise<readonly Candidate[]> {
  return (
    option.argChoices?.map((word) => ({ word, about: '' })) ?? (await KINDS[option.attributeName()]?.(place)) ?? []
  );
}

/** By the names of arguments and options: what they may be. */
const KINDS: Readonly<Record<string, (place: Place) => Promise<readonly Candidate[]>>> = {
  lab: async () => (await runningLabs()).map((word) => ({ word, about: 'a running lab' })),
  network: async (place) => (await known(place)).flatMap(({ networks }) => networks),
  node: async (place) => (await known(place)).flatMap(({ nodes }) => nodes),
  port: async (place) => (await known(place)).flatMap(({ ports }) => ports),
  'capture port': async (place) => [
    ...(await known(place)).flatMap(({ networks, ports }) => [...networks, ...ports]),
    { word: 'all', about: 'the whole lab' },
  ],
  'rm id': async (place) => (await known(place)).flatMap(({ forwards }) => forwards),
};

interface Known {
  readonly networks: readonly Candidate[];
  readonly nodes: readonly Candidate[];
  readonly ports: readonly Candidate[];
  readonly forwards: readonly Candidate[];
}

/** What there is in the lab file or the lab that the line names, or in all that run. */
async function known({ said }: Place): Promise<readonly Known[]> {
  const file = said.get('file');
  if (file !== undefined) return planned(file);
  const lab = said.get('lab');
  const labs = lab === undefined ? await runningLabs() : [lab];
  const answers = await Promise.all(
    labs.map((name) => soon(getControl<StatusAnswer>(controlSocket(name), '/v1/status'))),
  );
  return answers.flatMap((answer) => (answer === undefined ? [] : [running(answer)]));
}

function running({ name, networks, ports, forwards }: StatusAnswer): Known {
  const nodes = new Set(ports.flatMap(({ nic }) => nic?.node ?? []));
  return {
    networks: networks.map((network) => ({ word: network.name, about: `network of ${name}` })),
    nodes: [...nodes].map((word) => ({ word, about: `machine of ${name}` })),
    ports: ports.map(({ port, network }) => ({ word: port, about: `port of ${network}` })),
    forwards: forwards.map(({ id, rule }) => ({ word: id, about: rule })),
  };
}

function planned(file: string): readonly Known[] {
  const surroundings = labSurroundings(file);
  const read = surroundings.read(file);
  const result = 'text' in read ? readLab(read.text, file, surroundings) : undefined;
  if (result === undefined || 'issues' in result) return [];
  const { networks, nics } = result.plan;
  const nodes = new Set(nics.map(({ node }) => node));
  return [
    {
      networks: networks.map(({ name }) => ({ word: name, about: 'network' })),
      nodes: [...nodes].map((word) => ({ word, about: 'machine' })),
      ports: nics.map((nic) => ({ word: portName(nic), about: `port of ${nic.network}` })),
      forwards: [],
    },
  ];
}

/** What comes in time; nothing where the lab is ending or hangs. */
function soon<Value>(answer: Promise<Value>): Promise<Value | undefined> {
  const late = setTimeout(PATIENCE, undefined);
  return Promise.race([answer.catch(() => undefined), late]);
}
