/** The words of a link: tc-netem's, for both directions and for each. */
import { z } from 'zod';
import { parseRate, parseShare, parseTime } from './impairment-text.ts';
import { mapping, quantity } from './schema-forms.ts';

const time = quantity('bad-time', 'a time', ['20ms', '500us', '1.5s'], parseTime);
const share = quantity('bad-share', 'a share', ['1%', '0.5%'], parseShare);
const rate = quantity('bad-rate', 'a rate', ['10mbit', '512kbit', '1gbit'], parseRate);

const MAX_LIMIT = 100_000;

/** Of one direction. What is left out, or 0, does nothing. */
export const impairmentShape = {
  delay: time.optional().describe('How long a frame waits'),
  jitter: time.optional().describe('How far chance moves the delay, either way; frames overtake each other'),
  loss: share.optional().describe('The share of frames that are lost'),
  rate: rate
    .optional()
    .describe(
      'Octets of frames that pass: kbit, mbit, gbit; as in tc, bps is octets per second. Frames keep their order',
    ),
  limit: z.int().min(1).max(MAX_LIMIT).optional().describe('Frames that may wait; 1000 where it is left out'),
};

export const impairment = mapping(impairmentShape);

export const link = mapping({
  ...impairmentShape,
  'from-guest': impairment
    .optional()
    .describe('What the machine sends; said here it goes before what is said for both'),
  'to-guest': impairment.optional().describe('What the machine is sent'),
});

export type ImpairmentEntry = z.output<typeof impairment>;
export type LinkEntry = z.output<typeof link>;
