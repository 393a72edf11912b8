const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Resolves with the first signal that asks the program to end. The second calls `hurry`, where that is given; the next one ends the process
 * at once.
 */
export function stopSignal(hurry?: () => void): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const orders = [resolve, ...(hurry === undefined ? [] : [hurry]), () => process.exit(130)];
    const take = (signal: NodeJS.Signals) => orders.shift()?.(signal);
    for (const signal of SIGNALS) process.on(signal, take);
  });
}
