import type { Logger } from '../../world/logger.ts'
import type { Disk } from '../../world/world.ts'

/** `path` and the folders above it, as far as they are not there. */
export function missingFolders(path: string, disk: Disk): string[] {
  const missing: string[] = []
  for (let at = path; !disk.exists(at) && parentOf(at) !== at; at = parentOf(at)) missing.push(at)
  return missing
}

export function parentOf(path: string): string {
  const at = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'))
  if (at < 0) return '.'
  return at === 0 ? '/' : path.slice(0, at)
}

/** Removes a partition's folder, file by file. What an end of the process leaves is removed at the next start. */
export async function removeFolder(folder: string, disk: Disk, logger: Logger): Promise<void> {
  try {
    for (const name of disk.list(folder)) await disk.removeLater(`${folder}/${name}`)
    disk.removeTree(folder)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return
    logger.warn('A deleted partition could not be removed from the disk', { directory: folder, error })
  }
}
