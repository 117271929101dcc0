import { createTabWorker, type TabWorker } from '@sluice/worker-browser'

/** What a trial may ask of a page that lends its tab. */
export interface TabPage {
  /** Works on the queue `wait`. `isTold`: whether it hears of being frozen and resumed. */
  open(broker: string, isTold: boolean): void
  stats(): TabWorker['stats'] & { state: TabWorker['state'] }
  /** The codes and reasons in the log, in their order. */
  codes(): string[]
  /** When a timer of the page ran, in ms since it was made. */
  ticks(): number[]
}

declare global {
  interface Window {
    tab: TabPage
  }
}

const TICK_MS = 50
const LIFE = ['freeze', 'resume'] as const

let worker: TabWorker | undefined
const codes: string[] = []
const ticks: number[] = []
setInterval(() => ticks.push(performance.now()), TICK_MS)

function keep(fields: { code?: string; reason?: string }): void {
  const code = fields.code ?? fields.reason
  if (code !== undefined) codes.push(code)
}

window.tab = {
  open(broker, isTold) {
    // Listeners of one target run in the order in which they came.
    if (!isTold) for (const type of LIFE) document.addEventListener(type, (event) => event.stopImmediatePropagation())
    worker = createTabWorker({
      url: broker,
      queues: ['wait'],
      consent: 'given',
      concurrency: 1,
      prefetch: 0,
      pauseOnPressure: false,
      worker: () => new Worker('/tab-handlers.js', { type: 'module' }),
      connection: () => new Worker('/connection-worker.js', { type: 'module' }),
      logger: { debug: keep, info: keep, warn: keep, error: keep },
    })
    worker.start()
  },
  stats: () => ({ ...worker!.stats, state: worker!.state }),
  codes: () => codes,
  ticks: () => ticks,
}
