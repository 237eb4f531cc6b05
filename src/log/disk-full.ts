/** No room on the disk or in the quota: an error that passes by itself, unlike all others of a disk. */
export function isFull(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return code === 'ENOSPC' || code === 'EDQUOT'
}
