const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Resolves with the first signal that asks the program to end; from then on another one ends the process at once. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const first = (signal: NodeJS.Signals) => {
      for (const each of SIGNALS) process.off(each, first).on(each, () => process.exit(130));
      resolve(signal);
    };
    for (const signal of SIGNALS) process.on(signal, first);
  });
}
