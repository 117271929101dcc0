import { browserDevice } from '../../src/browser-device.ts'
import '../../src/element.ts'
import { createTabWorker, type TabWorker, type TabWorkerOptions } from '../../src/index.ts'

/** What tests in another process find in this page. */
export interface PageGlobals {
  tab: TabWorker
  /** The lines of the log, with their fields. */
  lines: { message: string; code?: string; reason?: string }[]
  /** When a timer of the page ran, in ms. */
  ticks: number[]
}

const parameters = new URLSearchParams(location.search)
const lines: PageGlobals['lines'] = []
const ticks: number[] = []
const keep = (fields: object, message: string) => void lines.push({ ...fields, message })

const options: TabWorkerOptions = {
  url: parameters.get('broker') ?? '',
  queues: ['page.double', 'page.wait', 'page.dies', 'page.bloats'],
  worker: () => new Worker(new URL('./handlers-of-page.ts', import.meta.url), { type: 'module' }),
  consent: parameters.has('ask') ? 'ask' : 'given',
  concurrency: Number(parameters.get('concurrency') ?? 1),
  pauseOnPressure: false,
  labels: { site: 'tests' },
  ...(parameters.has('impatient') && { timings: { connectTimeoutMs: 500 } }),
  logger: { debug: keep, info: keep, warn: keep, error: keep },
  // A page that is never told of its life.
  ...(parameters.has('untold') && { device: { ...browserDevice, watchLife: () => () => {} } }),
}
const tab = createTabWorker(options)
document.querySelector('sluice-tab-worker')!.worker = tab
setInterval(() => ticks.push(performance.now()), 20)
Object.assign(globalThis, { tab, lines, ticks } satisfies PageGlobals)
if (!parameters.has('idle')) tab.start()
