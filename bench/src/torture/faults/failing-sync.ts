import { join } from 'node:path'
import { Scratch } from '../../machine.ts'
import { type Ground, groundFault } from '../failing-ground.ts'
import { Mounts, mountObstacle } from '../mounts.ts'
import { wholeBetween } from '../random.ts'

const mibMin = 7
const mibMax = 14
/** What the file system believes; its own blocks lie at the start. */
const imageMiB = 96

/**
 * fsync fails, as it does on a disk that went bad: writes reach the memory of an ext4 and are refused when they are to reach
 * its device, which has become too short for them. (A full file system below the device would not do: Linux takes a write
 * that a loop device made in part for a whole one.) Mounting anew forgets what memory alone had, as a power cut does.
 */
export const failingSync = groundFault({
  name: 'failing-sync',
  about: 'fsync fails (ext4 on a loop device whose end is gone), and unwritten memory is forgotten',
  obstacle: mountObstacle,
  configuration: {
    'disk that fails to sync': `ext4 on a loop device that ends after ${mibMin} – ${mibMax} MiB`,
    'after it': 'the file system is mounted anew, in half of the rounds after a restart that still saw its memory',
  },
  async prepare(random): Promise<Ground> {
    const scratch = new Scratch()
    const mounts = await Mounts.open()
    const { path } = scratch
    mounts.run(
      `mount -t tmpfs -o size=${imageMiB * 2}m tmpfs "$1"
       cd "$1"
       truncate -s ${imageMiB}M image
       mkfs.ext4 -q -F -b 4096 -N 64 -J size=4 -E packed_meta_blocks=1,nodiscard image
       mkdir disk
       mount -o loop image disk`,
      path,
    )
    const resize = (mebibytes: number) =>
      void mounts.run(
        'truncate -s "$2"M "$1/image" && losetup -c "$(findmnt -no SOURCE "$1/disk")"',
        path,
        `${mebibytes}`,
      )
    resize(wholeBetween(random, mibMin, mibMax))
    const disk = join(path, 'disk')
    const roomFirst = random() < 0.5
    const makeRoom = () => resize(imageMiB)
    const mountAnew = () => void mounts.run('umount "$1/disk" && mount -o loop "$1/image" "$1/disk"', path)
    return {
      dataFile: join(disk, 'journal.db'),
      reason: /disk I\/O error/i,
      enter: (command) => mounts.enter(command),
      ease() {
        if (roomFirst) makeRoom()
      },
      mend() {
        makeRoom()
        mountAnew()
      },
      forget: mountAnew,
      async [Symbol.asyncDispose]() {
        await mounts[Symbol.asyncDispose]()
        scratch[Symbol.dispose]()
      },
    }
  },
})
