import type { Figures } from '../lessons/lesson.ts'
import type { MeasureAnswer, MeasureCall } from './measure-worker.ts'

/** Measures the runs of lessons without showing them, in a Worker of its own. */
export class Measurer {
  readonly #worker = new Worker(new URL('./measure-worker.ts', import.meta.url), { type: 'module' })
  readonly #waiting = new Map<
    number,
    { resolve: (figures: readonly Figures[]) => void; reject: (error: Error) => void }
  >()
  #number = 0

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<MeasureAnswer>) => {
      const call = this.#waiting.get(data.number)
      this.#waiting.delete(data.number)
      if ('error' in data) call?.reject(new Error(data.error))
      else call?.resolve(data.figures)
    }
  }

  measure(lesson: string, which: MeasureCall['which']): Promise<readonly Figures[]> {
    return new Promise((resolve, reject) => {
      this.#number += 1
      this.#waiting.set(this.#number, { resolve, reject })
      this.#worker.postMessage({ number: this.#number, lesson, which } satisfies MeasureCall)
    })
  }

  end(): void {
    this.#worker.terminate()
  }
}
