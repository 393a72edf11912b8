import type { z } from 'zod';

/** What a schema describes, for readers: nothing of it may be written to. */
export type Told<Schema extends z.ZodType> = Unwritable<z.output<Schema>>;

type Unwritable<Value> = Value extends object ? { readonly [Key in keyof Value]: Unwritable<Value[Key]> } : Value;
