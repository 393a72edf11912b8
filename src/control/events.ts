/**
 * What happens in the lab, as server-sent events (HTML Standard, 9.2): the lab's log, and for who listens conversations and drops, too.
 *
 * A reader has a queue of limited size. What does not fit is lost to it, and it is told how much that was.
 */
import * as z from 'zod';
import type { LabEvent } from '../lab/event-feed.ts';
import type { RunningLab } from '../lab/running-lab.ts';
import type { Route } from './route.ts';
import { route, streamRoute } from './route.ts';

/** Octets that may wait for a reader. */
const QUEUE_LIMIT = 256 * 1024;

const logEntry = z
  .looseObject({
    time: z.iso.datetime(),
    event: z.string().describe('A stable name such as `port-connected`'),
    message: z.string().describe('One sentence for people'),
  })
  .meta({ id: 'Event', description: 'Something that happened, with fields of its own by its `event`' });
/** An event as it is told. */
export type ToldEvent = z.output<typeof logEntry>;

const KINDS = ['leases', 'links', 'flows', 'drops', 'log'] as const;
type Kind = (typeof KINDS)[number];

const query = z.object({
  kinds: z
    .string()
    .optional()
    .transform((text) => text?.split(',') ?? KINDS)
    .pipe(z.array(z.enum(KINDS)))
    .meta({
      description: `Which of ${KINDS.join(', ')}, separated by commas; all where absent`,
      examples: ['leases,links'],
    }),
  past: z.coerce.number().int().min(0).default(0).describe('How much of the log that was to begin with'),
});

export const eventRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/log',
    summary: 'The end of the log, oldest first',
    status: 200,
    answer: z.strictObject({ log: z.array(logEntry) }),
    handle: ({ lab }) => ({ log: lab.events.past.map(told) }),
  }),
  streamRoute({
    method: 'GET',
    path: '/v1/events',
    summary:
      'What happens from now on, as server-sent events until either side ends; `lost` tells a slow reader how much it missed',
    query,
    status: 200,
    media: 'text/event-stream',
    handle: ({ lab, query: { kinds, past } }) => ({ stream: eventStream(lab, new Set(kinds), past) }),
  }),
];

function eventStream(lab: RunningLab, kinds: ReadonlySet<Kind>, past: number): ReadableStream<Uint8Array> {
  let lost = 0;
  let stop: (() => void) | undefined;
  return new ReadableStream<Uint8Array>(
    {
      start: (reader) => {
        const heard = (event: LabEvent) => {
          if (!kinds.has(kindOf(event.entry.event))) return;
          if ((reader.desiredSize ?? 0) > 0) reader.enqueue(encode(event.entry.event, told(event)));
          else lost++;
        };
        reader.enqueue(new TextEncoder().encode(`: ${lab.plan.name}\n\n`)); // the answer begins at once
        if (past > 0) lab.events.past.slice(-past).forEach(heard);
        stop = lab.listen({ heard, ended: () => reader.close() });
      },
      pull: (reader) => {
        if (lost > 0) reader.enqueue(encode('lost', { lost }));
        lost = 0;
      },
      cancel: () => stop?.(),
    },
    { highWaterMark: QUEUE_LIMIT, size: (chunk) => chunk?.length ?? 0 },
  );
}

function kindOf(event: string): Kind {
  if (event.startsWith('dhcp-')) return 'leases';
  if (event.startsWith('port-') || event.startsWith('link-')) return 'links';
  if (event.startsWith('flow-')) return 'flows';
  return event === 'drops' ? 'drops' : 'log';
}

function told({ at, entry }: LabEvent): ToldEvent {
  return { time: new Date(Number(at / 1_000_000n)).toISOString(), ...entry };
}

function encode(event: string, data: unknown): Uint8Array {
  return new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
