import type { Scale } from '../../bench.ts'
import { machineMs } from '../../clock.ts'
import { sleep, until } from '../../wait.ts'
import type { Told } from '../heard.ts'
import { Stage } from '../stage.ts'
import { type Shown, stagedFault } from '../staged-fault.ts'

const concurrency = 8
/** What a worker gives by itself: its places, and as many deliveries that wait. */
const credit = 2 * concurrency
const leaseMs = 800
const workMsMin = 150
const workMsMax = 250
/** A session of which leases expired once rests for so long when it is heard again (SESSION-6). */
const restMs = 1000
/** The broker counts in whole ms. */
const clockMs = 5
const inFlightAfter = 40
const worksWithinMs = 30_000
const tasksOf: Record<Scale, number> = { full: 200, quick: 100 }

/** One worker stands still with its connection open, beside one that does not. The other does all tasks. */
export const frozenWorker = stagedFault({
  name: 'frozen-worker',
  about: 'SIGSTOP of one of two workers before more tasks than it has credit and they have attempts, then SIGCONT',
  configuration(scale) {
    return {
      processes: 'one broker (strict), one worker that stands still, one that does not',
      tasks: tasksOf[scale],
      attempts: '2 or 5',
      'concurrency, each worker': `${concurrency}, and as many deliveries that wait`,
      'lease ms': leaseMs,
      'handler ms': `${workMsMin} – ${workMsMax}`,
      'stands still': 'until the other worker has done all',
    }
  },

  async run(scale, _, random): Promise<Shown> {
    await using stage = await Stage.open({ heartbeatMs: 300, graceMs: 2000 })
    const [frozen, healthy] = await Promise.all([stage.startWorker(concurrency), stage.startWorker(concurrency)])
    const attemptsMax = random() < 0.5 ? 2 : 5
    const retry = { kind: 'fixed', attemptsMax, delayMs: 10 } as const
    const submit = () => stage.submit({ workMs: workMsMin + (workMsMax - workMsMin) * random() }, { leaseMs, retry })
    const connected = async () => (await told(frozen)).welcomes + (await told(healthy)).welcomes === 2
    await until('both workers are connected', connected, 30_000)

    const first = await Promise.all(Array.from({ length: tasksOf[scale] }, submit))
    await sleep(100 * random())
    process.kill(frozen.child.pid, 'SIGSTOP')
    const frozenMs = machineMs()
    await stage.settled()
    const heardFromMs = machineMs()
    process.kill(frozen.child.pid, 'SIGCONT')
    // It reads what was sent to it meanwhile: of each lease that expired there is a word.
    await sleep(restMs / 2)
    const { expired } = await told(frozen)

    const later = new Set<string>()
    const stop = stage.produce(inFlightAfter, async () => {
      const task = await submit()
      later.add(task.id)
      return task
    })
    const beginsAgain = () => stage.startsIn(frozen.log).find(({ id }) => later.has(id))
    await until('the worker that stood still works again', async () => beginsAgain() !== undefined, worksWithinMs)
    const againMs = beginsAgain()!.atMs
    await stop()

    const { tasks, views, starts, broken } = await stage.judge()
    return {
      measured: {
        'tasks while it stood still': { value: first.length, unit: 'tasks' },
        'stood still': { value: heardFromMs - frozenMs, unit: 'ms' },
        'leases that it lost': { value: expired.length, unit: 'leases' },
        'handlers run twice': { value: tasks.filter(({ id }) => starts.get(id)!.length > 1).length, unit: 'tasks' },
        'works again after': { value: againMs - heardFromMs, unit: 'ms' },
      },
      broken: {
        ...broken,
        'dead letters': tasks
          .filter(({ id }) => views.get(id)!.state === 'dead')
          .map(({ id, outcome }) => `${id} ${outcome}`),
        'deliveries beyond its credit while it was silent': expired.slice(credit),
        'deliveries before its rest was over':
          againMs - heardFromMs < restMs - clockMs ? [`${againMs - heardFromMs} ms after it went on`] : [],
      },
    }
  },
})

function told({ child }: { child: { call<T>(method: string): Promise<T> } }): Promise<Told> {
  return child.call<Told>('told')
}
