import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Members } from './members.ts'
import type { Status } from './status.ts'

/** Resolves when all nodes vote about the metadata, each with the directory that it has now: a disk that is gone has no vote. */
export async function untilAllVote(status: Status, members: Members, ms: number): Promise<void> {
  const all = () => members.all.map(({ node }) => `${node} ${directoryOf(members.folderOf?.(node) ?? '')}`)
  for (const end = Date.now() + ms; ; await sleep(200)) {
    const voting = Array.from(await status.votingDirectories(), ([id, directory]) => `${id} ${directory}`)
    const missing = all().filter(each => !voting.includes(each))
    if (missing.length === 0 && voting.length === members.all.length) return
    if (Date.now() > end)
      throw new Error(`after ${ms} ms ${missing.join(', ')} have no vote; these have: ${voting.join(', ')}`)
  }
}

const directoryOf = (folder: string) =>
  /^directory\.id=(\S+)/m.exec(readFileSync(join(folder, 'meta.properties'), 'utf8'))?.[1]
