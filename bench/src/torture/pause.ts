import { machineMs } from '../clock.ts'
import { sleep } from '../wait.ts'

/** Stops a process for so long; it goes on where it was. */
export async function pause(pid: number, ms: number): Promise<{ fromMs: number; untilMs: number }> {
  const fromMs = machineMs()
  process.kill(pid, 'SIGSTOP')
  await sleep(ms)
  process.kill(pid, 'SIGCONT')
  return { fromMs, untilMs: machineMs() }
}
