import type { Child } from '../child.ts'
import { sleep } from '../wait.ts'
import type { LoadedWorker } from './loaded-worker.ts'

const lookEveryMs = 200

/** A worker process that is started anew when it has ended, and is killed when it does not answer for so long. */
export class SupervisedWorker {
  /** Ends of the process so far. */
  ends = 0
  readonly #start: () => Promise<LoadedWorker>
  readonly #answersWithinMs: number
  readonly #running: Promise<void>
  #isLeaving = false

  constructor(start: () => Promise<LoadedWorker>, answersWithinMs: number) {
    this.#start = start
    this.#answersWithinMs = answersWithinMs
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#isLeaving = true
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#isLeaving) {
      try {
        const { child } = await this.#start()
        while (!this.#isLeaving && (await answers(child, this.#answersWithinMs)))
          await Promise.race([child.ended, sleep(lookEveryMs)])
        await child.kill()
      } catch {
        // It crashed before it could say that it had started.
      }
      if (!this.#isLeaving) this.ends++
    }
  }
}

/** Whether it lives and is not blocked. */
async function answers(child: Child, withinMs: number): Promise<boolean> {
  const answered = child.call('told').then(
    () => true,
    () => false,
  )
  return Promise.race([answered, sleep(withinMs).then(() => false)])
}
