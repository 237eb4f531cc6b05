/** What the benchmarks' programs have in common: lines to whoever waits, and an end. */

export const log = (line: string): void => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`)

/** Ends the process. Whatever was measured before an error is not worth much: nothing is written then. */
export async function carryOut(main: () => Promise<void>): Promise<never> {
  await main().catch((error: Error) => {
    log(`void: ${error.stack}`)
    process.exitCode = 1
  })
  process.exit()
}
