/**
 * Tells in sentences what happened on the wire. All that it knows comes from captured packets: who asked for an address and got which,
 * who looked for which name, which files and pages went to whom, who pinged whom.
 */
import type { CapturedPacket } from '../../capture/pcapng-reader.ts';
import { parseArp } from '../../wire/arp.ts';
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, parseDhcp } from '../../wire/dhcp.ts';
import type { DhcpMessageType } from '../../wire/dhcp-options.ts';
import { messageTypeOf, textOf, VENDOR_CLASS } from '../../wire/dhcp-options.ts';
import { DNS_PORT } from '../../wire/dns-message.ts';
import {
  ETHERNET_HEADER_LENGTH,
  ETHERNET_SOURCE,
  ETHERNET_TYPE,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
} from '../../wire/ethernet.ts';
import { ICMPV4_ECHO_REPLY, ICMPV4_ECHO_REQUEST, Icmpv4View } from '../../wire/icmpv4.ts';
import { Ipv4View, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import type { Ipv4 } from '../../wire/ipv4-address.ts';
import { formatIpv4 } from '../../wire/ipv4-address.ts';
import { Ipv6View } from '../../wire/ipv6.ts';
import type { Mac } from '../../wire/mac.ts';
import { formatMac, isGroupMac, readMac } from '../../wire/mac.ts';
import { readUint16 } from '../../wire/octets.ts';
import { parseTftp, TFTP_PORT } from '../../wire/tftp.ts';
import { UdpView } from '../../wire/udp.ts';
import { dnsSentence } from './dns-sentences.ts';
import { HttpStory } from './http-story.ts';

/** A file on its way to a machine. */
interface Transfer {
  readonly file: string;
  blockSize: number;
  octets: number;
  nextBlock: number;
  /** Undefined until the last one came. */
  lastBlock: number | undefined;
  isComplete: boolean;
}

export class Narrator {
  /** The lease that each machine was acknowledged, by the machine's name. */
  readonly leases = new Map<string, Ipv4>();
  /** Files that arrived whole, `alice boot.ipxe`. */
  readonly files = new Set<string>();
  /** Names that were found for a machine, `alice files.lab.internal`. */
  readonly names = new Set<string>();
  /** Frames by who sent them to whom, `alice -> gateway`. */
  readonly conversations = new Map<string, number>();
  readonly #say: (line: string) => void;
  readonly #stations: ReadonlyMap<Mac, string>;
  readonly #http = new HttpStory();
  readonly #transfers = new Map<string, Transfer>();
  readonly #ip = new Ipv4View();
  readonly #ipv6 = new Ipv6View();
  readonly #udp = new UdpView();
  readonly #icmp = new Icmpv4View();
  #began: bigint | undefined;

  /** `stations` are the names of those that are known. */
  constructor(stations: ReadonlyMap<Mac, string>, say: (line: string) => void) {
    this.#stations = stations;
    this.#say = say;
  }

  /** Pages that arrived whole over HTTP, `alice /page.txt`. */
  get pages(): ReadonlySet<string> {
    return this.#http.pages;
  }

  hear({ bytes, nanoseconds }: CapturedPacket): void {
    if (bytes.length < ETHERNET_HEADER_LENGTH) return;
    this.#began ??= nanoseconds;
    const seconds = (Number((nanoseconds - this.#began) / 1_000_000n) / 1000).toFixed(2).padStart(6);
    const from = this.#nameOf(readMac(bytes, ETHERNET_SOURCE));
    const to = this.#nameOf(readMac(bytes, 0));
    const conversation = `${from} -> ${to}`;
    this.conversations.set(conversation, (this.conversations.get(conversation) ?? 0) + 1);
    const sentence = this.#sentence(bytes, from, to);
    if (sentence !== undefined) this.#say(`${seconds} s  ${sentence}`);
  }

  #nameOf(mac: Mac): string {
    return isGroupMac(mac) ? 'everyone' : (this.#stations.get(mac) ?? formatMac(mac));
  }

  #sentence(bytes: Uint8Array, from: string, to: string): string | undefined {
    switch (readUint16(bytes, ETHERNET_TYPE)) {
      case ETHERTYPE_ARP:
        return arpSentence(bytes, from, to);
      case ETHERTYPE_IPV4:
        return this.#ipSentence(bytes, from, to);
      case ETHERTYPE_IPV6:
        return this.#ipv6Sentence(bytes, from, to);
      default:
        return undefined;
    }
  }

  #ipSentence(bytes: Uint8Array, from: string, to: string): string | undefined {
    const ip = this.#ip;
    if (ip.bind(bytes, ETHERNET_HEADER_LENGTH, bytes.length) !== undefined || ip.isFragment) return undefined;
    if (ip.protocol === PROTOCOL_ICMP) return this.#icmpSentence(bytes, from, to);
    if (ip.protocol === PROTOCOL_TCP) return this.#http.hear(bytes, ip, from, to);
    if (ip.protocol !== PROTOCOL_UDP || this.#udp.bind(bytes, ip.payloadStart, ip.payloadEnd) !== undefined)
      return undefined;
    const { sourcePort, destinationPort } = this.#udp;
    if (destinationPort === DHCP_SERVER_PORT || destinationPort === DHCP_CLIENT_PORT)
      return this.#dhcpSentence(bytes, from);
    if (sourcePort === DNS_PORT || destinationPort === DNS_PORT) return this.#dnsSentence(bytes, from, to);
    return this.#tftpSentence(bytes, from, to, sourcePort, destinationPort);
  }

  /** iPXE asks the name server of the router advertisement. */
  #ipv6Sentence(bytes: Uint8Array, from: string, to: string): string | undefined {
    const ip = this.#ipv6;
    if (ip.bind(bytes, ETHERNET_HEADER_LENGTH, bytes.length) !== undefined || ip.nextHeader !== PROTOCOL_UDP)
      return undefined;
    if (this.#udp.bind(bytes, ip.payloadStart, ip.payloadEnd) !== undefined) return undefined;
    const { sourcePort, destinationPort } = this.#udp;
    return sourcePort === DNS_PORT || destinationPort === DNS_PORT ? this.#dnsSentence(bytes, from, to) : undefined;
  }

  #icmpSentence(bytes: Uint8Array, from: string, to: string): string | undefined {
    if (this.#icmp.bind(bytes, this.#ip.payloadStart, this.#ip.payloadEnd) !== undefined) return undefined;
    if (this.#icmp.type === ICMPV4_ECHO_REQUEST) return `${from} pings ${to} (${formatIpv4(this.#ip.destination)})`;
    if (this.#icmp.type === ICMPV4_ECHO_REPLY) return `${from} answers ${to}'s ping`;
    return undefined;
  }

  #dhcpSentence(bytes: Uint8Array, from: string): string | undefined {
    const message = parseDhcp(bytes, this.#udp.payloadStart, this.#udp.payloadEnd);
    if (typeof message === 'string') return undefined;
    const type = messageTypeOf(message.options);
    if (type === undefined) return undefined;
    const client = this.#nameOf(message.chaddr);
    const address = formatIpv4(message.yiaddr);
    if (type === 'ack' && message.yiaddr !== 0) this.leases.set(client, message.yiaddr);
    const vendor = textOf(message.options, VENDOR_CLASS);
    const boot = message.file === '' ? '' : `, boot ${message.file} from ${formatIpv4(message.siaddr)}`;
    return `${from}: ${DHCP_WORDS[type]({ client, address, boot, vendor })}`;
  }

  #dnsSentence(bytes: Uint8Array, from: string, to: string): string | undefined {
    const told = dnsSentence(bytes.subarray(this.#udp.payloadStart, this.#udp.payloadEnd), from, to);
    if (told?.found !== undefined) this.names.add(`${to} ${told.found}`);
    return told?.sentence;
  }

  /** TFTP's data travels between ports that only the read request ties to port 69: a transfer is known by its reader. */
  #tftpSentence(
    bytes: Uint8Array,
    from: string,
    to: string,
    sourcePort: number,
    destinationPort: number,
  ): string | undefined {
    const sent = this.#transfers.get(`${to} ${destinationPort}`);
    const received = this.#transfers.get(`${from} ${sourcePort}`);
    if (destinationPort !== TFTP_PORT && sent === undefined && received === undefined) return undefined;
    const packet = parseTftp(bytes, this.#udp.payloadStart, this.#udp.payloadEnd);
    if (typeof packet === 'string') return undefined;
    switch (packet.kind) {
      case 'read-request':
        this.#transfers.set(`${from} ${sourcePort}`, {
          file: packet.file,
          blockSize: 512,
          octets: 0,
          nextBlock: 1,
          lastBlock: undefined,
          isComplete: false,
        });
        return `${from} asks ${to} for the file ${packet.file} (TFTP)`;
      case 'option-ack':
        if (sent !== undefined) sent.blockSize = Number(packet.options.get('blksize') ?? sent.blockSize);
        return undefined;
      case 'data':
        if (sent !== undefined) receive(sent, packet.block, packet.payload.length);
        return undefined;
      case 'ack':
        if (received === undefined || received.lastBlock !== packet.block || received.isComplete) return undefined;
        received.isComplete = true;
        this.files.add(`${from} ${fileName(received.file)}`);
        return `${from} has all ${received.octets} octets of ${received.file}`;
      case 'error':
        return `${from} refuses ${to}: ${packet.message} (TFTP error ${packet.code})`;
      case 'write-request':
        return `${from} wants to write ${packet.file} (TFTP)`;
    }
  }
}

/** A block that is shorter than the others is the last (RFC 1350, 6). */
function receive(transfer: Transfer, block: number, octets: number): void {
  if (block !== transfer.nextBlock) return; // sent again
  transfer.nextBlock = (block + 1) & 0xffff;
  transfer.octets += octets;
  if (octets < transfer.blockSize) transfer.lastBlock = block;
}

const fileName = (path: string): string => path.replace(/^\/+/, '');

function arpSentence(bytes: Uint8Array, from: string, to: string): string | undefined {
  const message = parseArp(bytes, ETHERNET_HEADER_LENGTH, bytes.length);
  if (typeof message === 'string') return undefined;
  const target = formatIpv4(message.targetAddress);
  const sender = formatIpv4(message.senderAddress);
  if (message.operation === 'reply')
    return `${from} tells ${to}: ${sender} is at ${formatMac(message.senderMac)} (ARP)`;
  if (message.senderAddress === 0) return `${from} asks ${to}: does anybody use ${target}? (ARP probe)`;
  if (message.senderAddress === message.targetAddress) return `${from} tells ${to}: ${sender} is mine (ARP)`;
  return `${from} asks ${to}: who has ${target}? tell ${sender} (ARP)`;
}

interface DhcpWords {
  readonly client: string;
  readonly address: string;
  readonly boot: string;
  readonly vendor: string | undefined;
}

const DHCP_WORDS: Readonly<Record<DhcpMessageType, (words: DhcpWords) => string>> = {
  discover: ({ vendor }) => `who gives me an address?${vendor === undefined ? '' : ` I am ${vendor}`} (DHCPDISCOVER)`,
  offer: ({ client, address, boot }) => `${client} may have ${address}${boot} (DHCPOFFER)`,
  request: () => 'I take it (DHCPREQUEST)',
  ack: ({ client, address, boot }) => `${client} has ${address}${boot} (DHCPACK)`,
  nak: ({ client }) => `${client} may not have that address (DHCPNAK)`,
  decline: () => 'somebody uses that address already (DHCPDECLINE)',
  release: () => 'I give my address back (DHCPRELEASE)',
  inform: () => 'what else should I know about this network? (DHCPINFORM)',
};
