/** The forms that values of a lab file have: mappings without unknown keys, texts that mean something, lists that keep their places. */
import { z } from 'zod';

/** A mapping with these keys and no others. */
export function mapping<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const keys = Object.keys(shape).join(' ');
  return z.strictObject(shape, { error: ({ code }) => (code === 'unrecognized_keys' ? keys : undefined) });
}

/** Text that `parse` understands; `expected` names it for people. */
export function parsed<Value>(
  code: string,
  expected: string,
  examples: string[],
  parse: (text: string) => Value | undefined,
) {
  const text = z.string().meta({ description: expected, examples });
  return text.transform((value, context) => understood(code, expected, examples, parse(value), value, context));
}

/** The same of a number with a unit; a bare number is understood where `parse` does, as 0 is. */
export function quantity(
  code: string,
  expected: string,
  examples: string[],
  parse: (text: string) => number | undefined,
) {
  const input = z.union([z.string(), z.number()], { error: `expected ${expected}; write it as ${examples[0]}` });
  return input
    .meta({ description: expected, examples })
    .transform((value, context) => understood(code, expected, examples, parse(String(value)), value, context));
}

function understood<Value>(
  code: string,
  expected: string,
  examples: string[],
  result: Value | undefined,
  written: string | number,
  context: z.core.$RefinementCtx,
): Value {
  if (result !== undefined) return result;
  context.addIssue({
    code: 'custom',
    params: { code },
    message: `${JSON.stringify(written)} is not ${expected}; write it as ${examples[0]}`,
  });
  return z.NEVER;
}

/** A list in which a faulty entry, taken out by `schema-issues.ts`, leaves a hole: the others keep their places. */
export function list<Item extends z.ZodType>(item: Item) {
  return z.array(item.optional());
}

/** One, or a list of several. */
export function oneOrMore<Item extends z.ZodType>(item: Item, expected: string) {
  return z.union([item, list(item)], { error: `expected ${expected} or a list of them` });
}
