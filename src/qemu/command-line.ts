/**
 * A command line that starts QEMU, and the user networks that it asks for.
 *
 * QEMU has four ways to ask: `-netdev user`, which a `-device` plugs into; `-nic user`, a card with its network; `-net user`, on the hub
 * that all `-net` options share; and saying nothing, which means `-net nic -net user`. What is not about them stays as it is: whatever
 * is wrong with it, QEMU says.
 */
import type { Issue } from '../base/issue.ts';
import type { QemuOption } from './option-string.ts';
import { parseOptionString } from './option-string.ts';
import type { UserOptions } from './user-options.ts';
import { readUserOptions } from './user-options.ts';

/** A user network of the command line. */
export interface UserNetwork {
  readonly form: 'netdev' | 'nic' | 'net' | 'default';
  /** The netdev's name; undefined where QEMU would make one up. */
  readonly id: string | undefined;
  /** What people call it: `-netdev n0`. */
  readonly label: string;
  /** The options of the card that `-nic` makes: `model`, `mac`. */
  readonly card: readonly QemuOption[];
  readonly options: UserOptions;
}

export type CommandPiece =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** An option that makes a card: `-device`, or `-net nic`. */
  | { readonly kind: 'card'; readonly option: 'device' | 'net'; readonly words: readonly [string, string] }
  | { readonly kind: 'user'; readonly network: UserNetwork };

export interface QemuCommand {
  readonly pieces: readonly CommandPiece[];
  readonly networks: readonly UserNetwork[];
  /** The word that is a QEMU program; undefined where a wrapper hides it. */
  readonly program: string | undefined;
  /** What keeps the networks from being replaced; paths begin with a network's label. */
  readonly issues: readonly Issue[];
  /** Sentences about what was not looked into. */
  readonly remarks: readonly string[];
}

/** Words in front of QEMU's name (`sudo`, `taskset -c 0`) belong to who starts it. Without a QEMU among them all options are read, and no default network is added. */
export function readQemuCommand(words: readonly string[]): QemuCommand {
  const at = words.findIndex((word) => QEMU_PROGRAM.test(word));
  const reader = new CommandReader(words, Math.max(at, 0) + 1);
  return reader.read(at < 0 ? undefined : words[at]!);
}

const QEMU_PROGRAM = /^(.*\/)?(qemu-system-[\w-]+|qemu-kvm|kvm)(\.exe)?$/;

/** Their values are texts of the guest, and may look like anything. */
const FREE_TEXTS = new Set(['append', 'name']);

class CommandReader {
  readonly #words: readonly string[];
  readonly #start: number;
  readonly #pieces: CommandPiece[] = [];
  readonly #networks: UserNetwork[] = [];
  readonly #issues: Issue[] = [];
  readonly #remarks: string[] = [];
  #hasDefaultNetwork = true;

  constructor(words: readonly string[], start: number) {
    this.#words = words;
    this.#start = start;
  }

  read(program: string | undefined): QemuCommand {
    const words = this.#words;
    this.#keep(words.slice(0, this.#start));
    for (let i = this.#start; i < words.length; i++) {
      const word = words[i]!;
      const name = /^--?([a-z].*)$/i.exec(word)?.[1];
      const value = words[i + 1];
      if (name === undefined) this.#keep([word]);
      else if (value === undefined || !this.#option(word, name, value)) this.#flag(word, name);
      else i++;
    }
    if (program !== undefined && this.#hasDefaultNetwork) this.#addDefault();
    if (program === undefined && this.#networks.length === 0 && this.#issues.length === 0) {
      const message = 'there is neither a QEMU nor a user network in the command';
      this.#issues.push({ code: 'no-qemu', path: [], message, hint: 'write vmlan run -- qemu-system-x86_64 …' });
    }
    return {
      pieces: this.#pieces,
      networks: this.#networks,
      program,
      issues: this.#issues,
      remarks: this.#remarks,
    };
  }

  /** An option with its value; false where it is none that takes one, as far as that matters here. */
  #option(word: string, name: string, value: string): boolean {
    if (name === 'netdev' || name === 'nic' || name === 'net') this.#network(word, name, value);
    else if (name === 'device') this.#pieces.push({ kind: 'card', option: 'device', words: [word, value] });
    else if (FREE_TEXTS.has(name)) this.#keep([word, value]);
    else {
      this.#lookAt(name, value);
      return false;
    }
    return true;
  }

  #lookAt(name: string, value: string): void {
    const isMachine = name === 'M' || name === 'machine';
    if (isMachine && /^(type=)?none(,|$)/.test(value)) this.#hasDefaultNetwork = false;
    if (value === 'help' || value === '?' || value.endsWith(',help')) this.#hasDefaultNetwork = false;
    if (name === 'readconfig') {
      this.#remarks.push(`${value} is not looked into: a user network that it asks for stays QEMU's own`);
    }
  }

  #flag(word: string, name: string): void {
    if (ENDS_OR_EMPTIES.has(name)) this.#hasDefaultNetwork = false;
    if (name === 'daemonize') {
      const message = 'the network ends with the process that vmlan waits for, and this one would leave at once';
      this.#issues.push({
        code: 'daemonize',
        path: [word],
        message,
        hint: 'leave it out, and put & behind the command',
      });
    }
    this.#keep([word]);
  }

  #network(word: string, form: 'netdev' | 'nic' | 'net', value: string): void {
    this.#hasDefaultNetwork = false;
    const given = form === 'netdev' && value.startsWith('{') ? jsonOptions(value) : typedOptions(value);
    if (given?.type === 'user') this.#user(form, given.options);
    else if (form === 'net' && given?.type === 'nic')
      this.#pieces.push({ kind: 'card', option: 'net', words: [word, value] });
    else this.#keep([word, value]);
  }

  #user(form: 'netdev' | 'nic' | 'net', given: readonly QemuOption[]): void {
    const id = given.find(({ key }) => key === 'id')?.value; // of several QEMU takes the first
    const label = `-${form} ${id ?? 'user'}`;
    const isCard = ({ key }: QemuOption) => form === 'nic' && CARD_KEYS.includes(key);
    const { options, issues } = readUserOptions(given.filter((option) => option.key !== 'id' && !isCard(option)));
    this.#issues.push(...issues.map((issue) => ({ ...issue, path: [label, ...issue.path] })));
    if (form === 'netdev' && id === undefined) {
      const message = 'a netdev needs a name for its card to find it';
      this.#issues.push({
        code: 'no-id',
        path: [label],
        message,
        hint: 'write -netdev user,id=n0 -device e1000,netdev=n0',
      });
    }
    this.#add({ form, id, label, card: given.filter(isCard), options });
  }

  #addDefault(): void {
    const { options } = readUserOptions([]);
    this.#add({ form: 'default', id: undefined, label: 'the default network', card: [], options });
  }

  #add(network: UserNetwork): void {
    this.#networks.push(network);
    this.#pieces.push({ kind: 'user', network });
  }

  #keep(words: readonly string[]): void {
    this.#pieces.push({ kind: 'words', words });
  }
}

/** Without a network by default, or without a machine. */
const ENDS_OR_EMPTIES = new Set(['nodefaults', 'h', 'help', 'version']);

/** What `-nic` takes for its card (net/net.c, net_param_nic). */
const CARD_KEYS = ['model', 'mac'];

interface TypedOptions {
  readonly type: string | undefined;
  readonly options: readonly QemuOption[];
}

/** The first word without a value is the type. */
function typedOptions(text: string): TypedOptions {
  const given = parseOptionString(text);
  if (given[0] !== undefined && given[0].value === undefined) return { type: given[0].key, options: given.slice(1) };
  const isType = ({ key }: QemuOption) => key === 'type';
  return { type: given.find(isType)?.value, options: given.filter((option) => !isType(option)) };
}

/** QEMU's JSON form, in which lists are of objects with a `str`; undefined where the text is none. */
function jsonOptions(text: string): TypedOptions | undefined {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return undefined; // QEMU says what is wrong with it
  }
  const { type, ...rest } = given as Readonly<Record<string, unknown>>;
  const options = Object.entries(rest).flatMap(([key, value]) =>
    (Array.isArray(value) ? value : [value]).map((item: unknown) => ({ key, value: jsonText(item) })),
  );
  return { type: typeof type === 'string' ? type : undefined, options };
}

function jsonText(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (typeof value === 'object' && value !== null && 'str' in value) return String(value.str);
  return String(value);
}
