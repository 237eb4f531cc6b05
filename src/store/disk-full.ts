/**
 * No room on the disk, in the quota or for one more open file: errors that pass by themselves, unlike all others of a disk.
 */
export function isFull(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return ['ENOSPC', 'EDQUOT', 'EFBIG', 'EMFILE', 'ENFILE'].includes(code as string)
}
