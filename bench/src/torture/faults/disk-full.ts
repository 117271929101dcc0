import { join } from 'node:path'
import { Scratch } from '../../machine.ts'
import { type Ground, groundFault } from '../failing-ground.ts'
import { Mounts, mountObstacle } from '../mounts.ts'
import { wholeBetween } from '../random.ts'

const kibMin = 600
const kibMax = 14_000

/** A disk that fills up: a small tmpfs in a mount namespace, remounted with more room for the restart. */
export const diskFull = groundFault({
  name: 'disk-full',
  about: 'a file system without room (tmpfs), then with room',
  obstacle: mountObstacle,
  configuration: { 'disk that fills up': `tmpfs of ${kibMin} – ${kibMax} KiB in a mount namespace` },
  async prepare(random): Promise<Ground> {
    const scratch = new Scratch()
    const mounts = await Mounts.open()
    mounts.run('mount -t tmpfs -o size="$1"k tmpfs "$2"', `${wholeBetween(random, kibMin, kibMax)}`, scratch.path)
    return {
      dataFile: join(scratch.path, 'journal.db'),
      reason: /database or disk is full|disk I\/O error|no space left/i,
      enter: (command) => mounts.enter(command),
      mend: () => void mounts.run('mount -o remount,size=512m "$1"', scratch.path),
      async [Symbol.asyncDispose]() {
        await mounts[Symbol.asyncDispose]()
        scratch[Symbol.dispose]()
      },
    }
  },
})
