import { join } from 'node:path'
import { Scratch } from '../../machine.ts'
import { type Ground, groundFault } from '../failing-ground.ts'
import { Mounts, mountObstacle } from '../mounts.ts'
import { wholeBetween } from '../random.ts'

const kibMin = 2500
const kibMax = 14_000
const imageMiB = 256

/**
 * fsync fails, as it does on a disk that went bad: writes reach the memory of an ext4 and are refused when they are to
 * reach its image, because that lies in a full tmpfs. Mounting it anew forgets what memory alone had, as a power cut does.
 */
export const failingSync = groundFault({
  name: 'failing-sync',
  about: 'fsync fails (ext4 on a loop device without room), and unwritten memory is forgotten',
  obstacle: mountObstacle,
  configuration: {
    'disk that fails to sync': `ext4 on a loop device whose image has ${kibMin} – ${kibMax} KiB`,
    'after it': 'the file system is mounted anew, in half of the rounds after a restart that still saw its memory',
  },
  async prepare(random): Promise<Ground> {
    const scratch = new Scratch()
    const mounts = await Mounts.open()
    const { path } = scratch
    mounts.run(
      `mount -t tmpfs -o size="$1"k tmpfs "$2"
       truncate -s ${imageMiB}M "$2/image"
       mkfs.ext4 -q -F "$2/image"
       mkdir "$2/disk"
       mount -o loop "$2/image" "$2/disk"`,
      `${wholeBetween(random, kibMin, kibMax)}`,
      path,
    )
    const disk = join(path, 'disk')
    const roomFirst = random() < 0.5
    const makeRoom = () => void mounts.run(`mount -o remount,size=${imageMiB * 2}m "$1"`, path)
    const mountAnew = () => void mounts.run('umount "$1/disk" && mount -o loop "$1/image" "$1/disk"', path)
    return {
      dataFile: join(disk, 'journal.db'),
      reason: /disk I\/O error|database or disk is full|read-?only|unable to open|no space left/i,
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
