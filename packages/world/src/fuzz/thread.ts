import { parentPort, workerData } from 'node:worker_threads'
import { plant } from '../mutants/plant.ts'
import type { Violation } from '../observation.ts'
import type { Runs } from '../phenomena/phenomenon.ts'
import type { Answer, Order, ThreadData, Word } from './thread-messages.ts'

const { planted } = workerData as ThreadData
if (planted !== undefined) plant(planted)

// Loaded only now, so that the planted module is what they load.
const { examine, explain } = await import('./examine.ts')
const { swarm } = await import('./swarm.ts')
const { phenomena } = await import('../phenomena/index.ts')
const { tryOut } = await import('../phenomena/trial.ts')

/** Rejections that nobody handled while an experiment ran. They would have ended a program. */
let unhandled: unknown[] = []
process.on('unhandledRejection', (reason) => unhandled.push(reason))

async function answer(order: Order): Promise<Answer> {
  if (order.kind === 'measure') {
    const phenomenon = phenomena.find(({ name }) => name === order.phenomenon)
    if (phenomenon === undefined) throw new RangeError(`no phenomenon is named ${order.phenomenon}`)
    const { runs } = await tryOut(phenomenon, [order.seed])
    return { kind: 'measured', runs: runs[0] as Runs }
  }
  const experiment = { seed: order.seed, scenario: order.scenario ?? swarm(order.seed) }
  if (order.kind === 'explain') {
    const endMs = performance.now() + order.budgetMs
    const explanation = await explain(experiment, order.rule, () => performance.now() > endMs)
    return explanation === undefined ? { kind: 'explained' } : { kind: 'explained', explanation }
  }
  unhandled = []
  const examination = await examine(experiment, { untilViolated: order.untilViolated })
  const { report } = examination
  const violations: Violation[] = unhandled.map((reason) => ({
    rule: 'CRASH',
    atMs: report.simulatedMs,
    message: `a rejection that nobody handled: ${reason instanceof Error ? reason.stack : String(reason)}`,
    about: {},
  }))
  return {
    kind: 'examined',
    examination: { ...examination, report: { ...report, violations: [...report.violations, ...violations] } },
  }
}

const port = parentPort
port?.on('message', (order: Order) => {
  answer(order).then(
    (done) => port.postMessage(done),
    (error: unknown) => {
      throw error
    },
  )
})
port?.postMessage({ kind: 'loaded' } satisfies Word)
