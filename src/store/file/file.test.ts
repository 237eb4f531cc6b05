import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silent } from '../../world/logger.ts'
import { nodeWorld } from '../../world/node.ts'
import { storeContract, type VolumeUnderTest } from '../contract.ts'
import type { Volume } from '../store.ts'
import { FileVolume, type FileVolumeOptions } from './file-volume.ts'

/** Where there is a file system in memory, hundreds of syncs take no time. */
const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

function inTemporaryDirectory(options: FileVolumeOptions): () => VolumeUnderTest {
  return () => {
    const parent = mkdtempSync(join(memory, 'ottla-store-'))
    const roots = new Map<Volume, string>()
    const closed = new WeakSet<Volume>()
    const openAt = async (root: string): Promise<Volume> => {
      const volume = await FileVolume.open(root, nodeWorld, silent, options)
      roots.set(volume, root)
      const close = volume.close.bind(volume)
      volume.close = epoch => {
        closed.add(volume)
        return close(epoch)
      }
      return volume
    }
    return {
      open: () => openAt(join(parent, 'data')),
      reopen: async volume => {
        const root = roots.get(volume)!
        if (closed.has(volume)) return openAt(root)
        cpSync(root, `${root}-copy`, { recursive: true })
        return openAt(`${root}-copy`)
      },
      cleanUp: () => rmSync(parent, { recursive: true, force: true }),
    }
  }
}

storeContract('files', inTemporaryDirectory({}))
storeContract('files, with next to no memory and few open files', inTemporaryDirectory({ tailBytes: 1, openFiles: 2 }))
storeContract('files, each append written at once', inTemporaryDirectory({ tailBytes: 3000, writeAtOnceBytes: 1 }))
