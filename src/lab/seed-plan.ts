/** What cloud-init in a machine finds at the gateway of its network, decided but for the contents of files. */

export type SeedSource =
  | { readonly kind: 'text'; readonly text: string }
  /** A file of the host. */
  | { readonly kind: 'file'; readonly file: string };

export interface SeedPlan {
  readonly node: string;
  /** Whose gateway serves it. */
  readonly network: string;
  /** Where the documents are, with a final slash. */
  readonly url: string;
  /** cloud-init does once for an instance what it does once. */
  readonly instance: string;
  readonly hostname: string;
  /** What each holds: keys, a line each. */
  readonly keys: readonly SeedSource[];
  readonly userData: SeedSource;
  readonly networkConfig: SeedSource;
}
