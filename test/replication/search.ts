import { Run, type RunOptions } from './run.ts'

// node search.js FIRST LAST [OPTIONS]: runs seeds, from the first one, until one finds something; OPTIONS: `RunOptions` in JSON.

const [first = '1', last = '100', options = '{}'] = process.argv.slice(2)
const short = { faultyMs: 800, healingMs: 1000, ...(JSON.parse(options) as RunOptions) }

for (let seed = Number(first); seed <= Number(last); seed++) {
  try {
    await new Run(seed, short).run()
  } catch (error) {
    console.log(`seed ${seed}: ${(error as Error).message.split('\n')[0]}`)
    process.exit(1)
  }
}
