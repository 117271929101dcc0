import { execFileSync } from 'node:child_process'
import { Scratch } from '../../machine.ts'
import { type Ground, groundFault } from '../failing-ground.ts'
import { wholeBetween } from '../random.ts'

const limitBytesMin = 100_000
const limitBytesMax = 2_000_000

/** Whether files can be made immutable here: it takes root and a file system that knows it. */
function canLock(path: string): boolean {
  try {
    execFileSync('chattr', ['+i', path], { stdio: 'ignore' })
    execFileSync('chattr', ['-i', path], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function obstacle(): string | undefined {
  try {
    execFileSync('prlimit', ['--version'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'it lowers limits of a running process with prlimit, which takes Linux'
  }
}

/**
 * write(2) fails in the midst of a running broker: at a size of file past which the system writes no byte, so that a write
 * is cut short before the next one fails (EFBIG), or because the log has become immutable (EPERM).
 */
export const failingWrites = groundFault({
  name: 'failing-writes',
  about: 'write(2) fails: at a size limit (RLIMIT_FSIZE), or on an immutable file',
  obstacle,
  configuration: {
    'writes fail by': `RLIMIT_FSIZE of ${limitBytesMin} – ${limitBytesMax} bytes (EFBIG), or chattr +i on the log where root may (EPERM)`,
  },
  async prepare(random): Promise<Ground> {
    const scratch = new Scratch()
    const dataFile = scratch.file('journal.db')
    const log = `${dataFile}-wal`
    const limit = wholeBetween(random, limitBytesMin, limitBytesMax)
    const byLock = random() < 0.5 && canLock(scratch.path)
    const unlock = () => execFileSync('chattr', ['-i', log], { stdio: 'ignore' })
    return {
      dataFile,
      reason: /disk I\/O error|database or disk is full|readonly database|not permitted|unable to open/i,
      strike(pid) {
        if (byLock) execFileSync('chattr', ['+i', log])
        else execFileSync('prlimit', ['--pid', String(pid), `--fsize=${limit}`])
      },
      mend() {
        if (byLock) unlock()
      },
      async [Symbol.asyncDispose]() {
        try {
          if (byLock) unlock()
        } catch {
          // It was gone or unlocked already.
        }
        scratch[Symbol.dispose]()
      },
    }
  },
})
