/** What a running lab tells about its nodes; see `status-schemas.ts`. */
import * as z from 'zod';
import type { Told } from './told.ts';

const endedSchema = z.strictObject({
  reason: z
    .enum(['shutdown', 'reset', 'panic', 'quit', 'terminated', 'killed', 'crash', 'unknown'])
    .describe('crash: QEMU failed; terminated: it was told to by a signal; quit: by vmlan'),
  message: z.string(),
});

export const nodeStatusSchema = z
  .strictObject({
    node: z.string(),
    state: z.enum(['stopped', 'starting', 'running', 'stopping', 'yours']).describe('yours: vmlan does not start it'),
    nics: z
      .array(z.strictObject({ name: z.string(), network: z.string(), connected: z.boolean() }))
      .describe('Cards, and whether something is plugged in at their ports'),
    uuid: z.exactOptional(z.string()),
    pid: z.exactOptional(z.int()),
    uptime: z.exactOptional(z.int()).describe('Seconds since this vmlan started or adopted it'),
    adopted: z.exactOptional(z.boolean()).describe('A former vmlan started it'),
    ended: z.exactOptional(endedSchema).describe('How it ended the last time'),
    seed: z.exactOptional(z.string()).describe('Where cloud-init in its machine finds what to do'),
    console: z
      .exactOptional(z.strictObject({ socket: z.string(), log: z.string() }))
      .describe('The unix socket of its serial console, for one user at a time, and the file with all that it said'),
  })
  .meta({ id: 'Node' });
export type NodeStatus = Told<typeof nodeStatusSchema>;
