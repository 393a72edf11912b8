/**
 * What a running lab tells about itself, as plain data: schemas, from which the types here and the document of the control API are made.
 * Only who describes or checks such data loads this file; the lab itself imports the types.
 */
import * as z from 'zod';
import type { Told } from './told.ts';

const mac = z.string().meta({ description: 'A MAC address', examples: ['52:54:00:12:34:56'] });
const count = z.int().nonnegative();
const counts = z.record(z.string(), count).meta({ id: 'Counts', description: 'How often each name occurred' });
const traffic = z.strictObject({ frames: count, octets: count }).meta({ id: 'Traffic' });

export const stationStatusSchema = z
  .strictObject({
    mac,
    vlan: count.describe('0: untagged'),
    port: z.string(),
    idle: count.describe('Seconds since it last sent'),
    addresses: z
      .exactOptional(z.array(z.string()))
      .describe('IPv6 addresses that it made itself, as the gateway heard of them'),
  })
  .meta({ id: 'Station', description: 'Who a switch heard, and where' });
export type StationStatus = Told<typeof stationStatusSchema>;

const flowCounts = z.strictObject({ tcp: count, udp: count, echo: count }).meta({ id: 'FlowCounts' });
/** Flows by protocol. */
export type FlowCounts = Told<typeof flowCounts>;

const routeStatusSchema = z
  .strictObject({ to: z.string().describe('`10.3.0.0/24`'), via: z.string().describe('The next router') })
  .meta({ id: 'Route' });
export type RouteStatus = Told<typeof routeStatusSchema>;

const natStatusSchema = z
  .strictObject({
    restricted: z.boolean().describe('Nothing leaves the network but what a rule forwards'),
    hostAccess: z
      .union([z.literal('all'), z.array(z.string())])
      .describe("Ports of the host's loopback that guests reach at the gateway's address: `tcp 8000`, `udp 5000-5010`"),
    metadata: z.boolean().describe('Whether guests reach addresses where clouds keep credentials'),
    source: z.exactOptional(z.string()).describe("The host's address that conversations leave from"),
  })
  .meta({ id: 'Nat', description: 'The way out' });
export type NatStatus = Told<typeof natStatusSchema>;

const ipv6StatusSchema = z
  .strictObject({
    address: z.string(),
    prefix: z.string().describe('`fd00:1:2:3::/64`'),
    router: z.boolean().describe('Whether machines are told to take it as their router'),
    dhcp: z
      .exactOptional(z.enum(['stateless', 'stateful']))
      .describe('Whether DHCPv6 tells names only, or gives addresses'),
    nat64: z.exactOptional(z.string()).describe('The prefix behind which machines reach IPv4'),
    source: z.exactOptional(z.string()).describe("The host's IPv6 address that conversations leave from"),
  })
  .meta({ id: 'Ipv6', description: 'What the gateway is to IPv6' });
export type Ipv6Status = Told<typeof ipv6StatusSchema>;

const gatewayStatusSchema = z
  .strictObject({
    address: z.exactOptional(z.string()).describe('Absent without IPv4'),
    ipv6: z.exactOptional(ipv6StatusSchema),
    mac,
    counters: counts.describe('What the gateway refused and noted: stack, DHCP, DNS, NAT'),
    nat: z.exactOptional(natStatusSchema),
    dns: z.exactOptional(
      z.strictObject({
        address: z.exactOptional(z.string()).describe('Absent without IPv4'),
        ipv6: z.exactOptional(z.string()).describe('Its IPv6 address'),
        domain: z.exactOptional(z.string()),
      }),
    ),
    flows: flowCounts,
    routes: z
      .exactOptional(z.array(routeStatusSchema))
      .describe("Where it leads to the lab's other networks: what it reaches by routers of its own"),
  })
  .meta({ id: 'Gateway' });
export type GatewayStatus = Told<typeof gatewayStatusSchema>;

export const networkStatusSchema = z
  .strictObject({
    name: z.string(),
    kind: z.enum(['hub', 'switch']),
    mtu: count.describe('Octets of an IP packet'),
    subnet: z.exactOptional(z.string()).describe('`10.0.2.0/24`, where there is a gateway and IPv4'),
    gateway: z.exactOptional(gatewayStatusSchema),
    drops: counts.describe('What the LAN itself dropped, and ports on a shared socket that are gone'),
    stations: z.array(stationStatusSchema),
  })
  .meta({ id: 'Network' });
export type NetworkStatus = Told<typeof networkStatusSchema>;

export const routerStatusSchema = z
  .strictObject({
    name: z.string(),
    interfaces: z.array(
      z.strictObject({
        port: z.string(),
        network: z.string(),
        address: z.exactOptional(z.string()).describe('`10.0.2.1/24`'),
        ipv6: z.exactOptional(z.string()).describe('`fd00:1:2:3::9/64`'),
        mac,
      }),
    ),
    routes: z.array(routeStatusSchema).describe('Beside the networks that it is on'),
  })
  .meta({ id: 'Router', description: 'A station of vmlan that joins networks' });
export type RouterStatus = Told<typeof routerStatusSchema>;

export const portStatusSchema = z
  .strictObject({
    port: z.string(),
    network: z.string(),
    nic: z
      .exactOptional(z.strictObject({ node: z.string(), name: z.string() }))
      .describe('The machine and its card, for ports of a lab file'),
    mac: z.exactOptional(mac),
    connected: z.boolean(),
    linkUp: z.boolean().describe('Whether its link is up; frames are lost while it is not'),
    peer: z.exactOptional(z.string()).describe('The other end of its socket'),
    fromGuest: traffic,
    toGuest: traffic,
    queued: count.describe('Octets that wait for the machine'),
    drops: counts,
  })
  .meta({ id: 'Port' });
export type PortStatus = Told<typeof portStatusSchema>;

const impairmentStatus = z
  .strictObject({
    delay: z.exactOptional(z.string()).meta({ examples: ['20ms'] }),
    jitter: z.exactOptional(z.string()).meta({ examples: ['5ms'] }),
    loss: z.exactOptional(z.string()).meta({ examples: ['1%'] }),
    rate: z.exactOptional(z.string()).meta({ examples: ['10mbit'] }),
    limit: z.exactOptional(count).describe('Frames that may wait; 1000 where absent'),
    waiting: count.describe('Frames that wait'),
  })
  .meta({ id: 'Impairment', description: 'What happens to the frames of a direction; what is absent does not' });

export const linkStatusSchema = z
  .strictObject({
    port: z.string(),
    network: z.string(),
    up: z.boolean(),
    fromGuest: impairmentStatus,
    toGuest: impairmentStatus,
  })
  .meta({ id: 'Link', description: 'The cable of a port' });
export type LinkStatus = Told<typeof linkStatusSchema>;

const captureTarget = z.union([
  z.strictObject({ kind: z.literal('lab') }),
  z.strictObject({ kind: z.literal('network'), network: z.string() }),
  z.strictObject({ kind: z.literal('port'), port: z.string() }),
]);

export const captureStatusSchema = z
  .strictObject({
    id: z.string().describe('Names the capture as long as it runs'),
    capture: z.string().describe("What people call it: the file's name"),
    of: captureTarget,
    frames: count,
    octets: count,
    lost: count.describe('Frames that the capture could not keep up with'),
  })
  .meta({ id: 'Capture' });
export type CaptureStatus = Told<typeof captureStatusSchema>;

export const forwardEntrySchema = z
  .strictObject({
    id: z.string().describe('Names the rule in the whole lab, as `lan.1`'),
    network: z.string(),
    protocol: z.enum(['tcp', 'udp', 'unix']),
    listen: z.string().describe('Where the host listens, with the real ports: `127.0.0.1:8000-8010`, or a path'),
    guest: z.string().describe('`web:80`'),
    rule: z.string().describe('The whole rule, as it is written in a lab file'),
    connections: z.exactOptional(count).describe('Clients that are connected; UDP has none'),
  })
  .meta({ id: 'Forward', description: 'A port of the host that leads to a guest' });
export type ForwardEntry = Told<typeof forwardEntrySchema>;

export const labStatusSchema = z
  .strictObject({
    name: z.string(),
    networks: z.array(networkStatusSchema),
    routers: z.array(routerStatusSchema),
    ports: z.array(portStatusSchema),
    captures: z.array(captureStatusSchema),
    forwards: z.array(forwardEntrySchema),
  })
  .meta({ id: 'Lab' });
export type LabStatus = Told<typeof labStatusSchema>;

export const leaseStatusSchema = z
  .strictObject({
    network: z.string(),
    mac,
    address: z.string(),
    hostname: z.exactOptional(z.string()),
    state: z.enum(['offered', 'bound', 'released', 'expired', 'declined']),
    expires: count.describe('Seconds since 1970'),
  })
  .meta({ id: 'Lease' });
export type LeaseStatus = Told<typeof leaseStatusSchema>;

export const flowStatusSchema = z
  .strictObject({
    network: z.string(),
    protocol: z.enum(['tcp', 'udp', 'echo']),
    initiator: z.enum(['guest', 'host']).describe('Who began it'),
    guest: z.string().describe('`10.0.2.15:40000`; of an echo an address alone'),
    peer: z.exactOptional(z.string()).describe('The other side as the guest sees it; absent where there are several'),
    target: z
      .exactOptional(z.string())
      .describe('The other side as the host sees it: an endpoint, `unix PATH`, or what else it is'),
    state: z.enum(['opening', 'open', 'closing']),
    fromGuest: count.describe('Octets of payload'),
    toGuest: count.describe('Octets of payload'),
  })
  .meta({ id: 'Flow', description: 'A conversation of a guest with the world or with the host' });
export type FlowStatus = Told<typeof flowStatusSchema>;

export const macStatusSchema = z
  .strictObject({ network: z.string(), ...stationStatusSchema.shape })
  .meta({ id: 'Mac' });
export type MacStatus = Told<typeof macStatusSchema>;

export const namesStatusSchema = z
  .strictObject({
    network: z.string(),
    server: z.string().describe('The address at which the name server answers; the IPv4 one where it has both'),
    ipv6Server: z.exactOptional(z.string()).describe('Its IPv6 address'),
    domain: z.exactOptional(z.string()).describe("The network's own; names are found in it and by themselves"),
    names: z
      .array(z.strictObject({ name: z.string(), address: z.string() }))
      .describe('Machines and the gateway, by the addresses that they have now'),
    records: z
      .array(z.strictObject({ name: z.string(), type: z.string(), data: z.string() }))
      .describe('Of the lab file'),
    forward: z
      .array(z.strictObject({ domain: z.string(), servers: z.array(z.string()) }))
      .describe('Who is asked about a domain and what is below it'),
    others: z
      .union([z.literal('host'), z.array(z.string())])
      .describe("Who is asked about everything else: the host's own name servers, these, or nobody"),
  })
  .meta({ id: 'Names' });
export type NamesStatus = Told<typeof namesStatusSchema>;
