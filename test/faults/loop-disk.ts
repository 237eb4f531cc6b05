import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const sh = (command: string, ...args: string[]) => execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })

const mounted = new Set<string>()
process.on('exit', () => {
  for (const point of mounted) {
    try {
      sh('umount', '-l', point)
    } catch {
      // it was not mounted any more
    }
  }
})

/** Why disks of our own cannot be made here; null when they can. */
export function noLoopDevices(): string | null {
  if (process.getuid?.() !== 0) return 'only root can mount'
  try {
    sh('losetup', '-f')
    return null
  } catch {
    return 'there are no loop devices'
  }
}

/** An ext4 file system in a file: the only disk whose power can be cut here. */
export class LoopDisk {
  readonly mount: string
  private readonly image: string
  private readonly crash: string

  constructor(place: string, size: string) {
    this.mount = join(place, 'm')
    this.image = join(place, 'disk.img')
    this.crash = join(place, 'crash.img')
    mkdirSync(this.mount, { recursive: true })
    sh('truncate', '-s', size, this.image)
    sh('mkfs.ext4', '-q', '-m', '0', '-F', this.image)
    this.attach()
  }

  /**
   * What a power cut leaves: the image holds what was synced and whatever the kernel had written back by then. The
   * broker must be stopped or dead before this is called, so that nobody writes while the image is taken.
   */
  photograph(): void {
    sh('cp', '--sparse=always', this.image, this.crash)
  }

  /** The machine comes back with the photographed disk. */
  comeBack(): void {
    this.detach()
    sh('mv', this.crash, this.image)
    this.attach()
  }

  remove(): void {
    this.detach()
    for (const file of [this.image, this.crash]) rmSync(file, { force: true })
  }

  private attach(): void {
    sh('mount', '-o', 'loop', this.image, this.mount)
    mounted.add(this.mount)
  }

  private detach(): void {
    sh('umount', this.mount)
    mounted.delete(this.mount)
  }
}
