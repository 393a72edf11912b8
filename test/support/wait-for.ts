/** Resolves as soon as the condition holds; looks at it again whenever the event loop has turned. The test's own time limit ends it. */
export async function waitFor(condition: () => boolean | undefined): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
