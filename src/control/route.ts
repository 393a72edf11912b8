/**
 * One thing that the control API does: how it is asked for, what it answers, and who does it.
 *
 * A table of routes is all there is of the API: requests are checked by a route's schemas before its `handle` sees them, and the OpenAPI
 * document (`openapi.ts`) is made from the same schemas. The client's types are those schemas', too.
 */
import * as z from 'zod';
import type { Issue } from '../base/issue.ts';
import { formatIssue } from '../base/issue.ts';
import type { RunningLab } from '../lab/running-lab.ts';
import type { Told } from '../lab/told.ts';

/** What the API answers for. */
export interface Controlled {
  readonly lab: RunningLab;
  readonly pid: number;
  readonly version: string;
  /** The lab file, where there is one. */
  readonly file?: string;
  /** Stops the lab; it cannot be stopped where undefined. */
  readonly stop?: () => void;
  /** Takes over the edited lab file, or only looks at what that would change. */
  readonly reload?: (isTrial: boolean) => Promise<LabChange>;
}

/** What became of an edited lab file: phrases for its changes, or what is wrong with it. */
export type LabChange =
  | { readonly changes: readonly string[] }
  | {
      readonly refused: 'lab-refused' | 'cannot-change';
      readonly issues: readonly Issue[];
      /** The issues for people, a line for each. */
      readonly text: string;
    };

interface Words {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `/v1/forwards/{id}`. */
  readonly path: string;
  /** One sentence without a final stop. */
  readonly summary: string;
  /** The answers that refuse, by status. A request that is wrong in itself is answered with 400 everywhere. */
  readonly refusals?: Readonly<Record<number, string>>;
}

/** A route as it is written down. What it has no schema for it is not given. */
interface RouteSpec<Params, Query, Body, Answer extends z.ZodType> extends Words {
  /** Of the path. */
  readonly params?: z.ZodType<Params>;
  readonly query?: z.ZodType<Query>;
  /** JSON. */
  readonly body?: z.ZodType<Body>;
  readonly status: 200 | 201 | 204;
  /** JSON, or nothing. */
  readonly answer: Answer;
  handle(asked: Asked<Params, Query, Body>): Told<Answer> | Refusal | Promise<Told<Answer> | Refusal>;
}

/** A route whose answer goes on until either side ends it. */
interface StreamSpec<Params, Query, Body> extends Words {
  readonly params?: z.ZodType<Params>;
  readonly query?: z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
  readonly status: 200;
  /** The media type of the answer. */
  readonly media: string;
  handle(asked: Asked<Params, Query, Body>): Streamed | Refusal | Promise<Streamed | Refusal>;
}

export interface Asked<Params, Query, Body> extends Controlled {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
}

/** A body that is sent as it comes; when its reader has gone it is cancelled. */
export interface Streamed {
  readonly stream: ReadableStream<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Some route. */
export type Route = Words & {
  readonly status: number;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly answer?: z.ZodType;
  readonly media?: string;
  handle(asked: Asked<unknown, unknown, unknown>): unknown;
};

/** Has the types of `spec` checked against each other. */
export function route<Params, Query, Body, Answer extends z.ZodType>(
  spec: RouteSpec<Params, Query, Body, Answer>,
): Route {
  return spec as Route;
}

export function streamRoute<Params, Query, Body>(spec: StreamSpec<Params, Query, Body>): Route {
  return spec as Route;
}

/** The answer of a route that has nothing to say. */
export const nothing = z.undefined();

/** How every refusal is told. */
export const refusalSchema = z
  .strictObject({
    error: z.string().describe('A stable name such as `no-such-forward`'),
    message: z.string().describe('A sentence for people: what is wrong, and what to do'),
    issues: z
      .exactOptional(
        z.array(
          z.strictObject({
            code: z.string(),
            path: z.array(z.union([z.string(), z.number()])).describe('`["body", "rule"]`'),
            message: z.string(),
            hint: z.exactOptional(z.string()),
            isAboutKey: z.exactOptional(z.boolean()).describe('The key itself is wrong, not its value'),
            file: z.exactOptional(z.string()).describe('The lab file that it is about'),
            line: z.exactOptional(z.int()),
            column: z.exactOptional(z.int()),
          }),
        ),
      )
      .describe('All that is wrong, where several things can be'),
  })
  .meta({ id: 'Refusal' });

/** An answer that says no. */
export class Refusal {
  readonly status: number;
  readonly body: Told<typeof refusalSchema>;

  constructor(status: number, error: string, message: string, issues?: readonly Issue[]) {
    this.status = status;
    this.body = { error, message, ...(issues && { issues }) };
  }
}

/** Refuses what an operator wrote, with everything that is wrong with it. */
export function refuseIssues(error: string, issues: readonly Issue[]): Refusal {
  return new Refusal(400, error, issues.map(formatIssue).join('; '), issues);
}
