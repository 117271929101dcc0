import type { Scale } from '../../bench.ts'
import { machineMs } from '../../clock.ts'
import { atMost, quantile } from '../../figure.ts'
import { Scratch } from '../../machine.ts'
import { sleep } from '../../wait.ts'
import { sessionsLost, type Told } from '../heard.ts'
import { isDeadOutcome } from '../outcome.ts'
import { Pinging } from '../pinging.ts'
import { lostAttempts } from '../recorded.ts'
import { Stage, type StagedTask } from '../stage.ts'
import { type Shown, stagedFault } from '../staged-fault.ts'
import { type Sync, SyncDelay, syncDelayObstacle } from '../sync-delay.ts'

const heartbeatMs = 500
const workers = 2
const concurrency = 8
/** A producer waits up to so long before its next task, so that the disk decides less about how much there is to do. */
const pauseMsMax = 500
const load: Record<
  Scale,
  { syncMs: number; leaseMs: number; shortLeaseMs: number; inFlight: number; quickMs: number; slowMs: number }
> = {
  full: { syncMs: 2000, leaseMs: 2000, shortLeaseMs: 400, inFlight: 60, quickMs: 4000, slowMs: 12_000 },
  // Other tests run beside it: a worker that gets no processor for 400 ms has let its lease expire by itself.
  quick: { syncMs: 1500, leaseMs: 1500, shortLeaseMs: 800, inFlight: 20, quickMs: 1000, slowMs: 3500 },
}

/**
 * Each sync takes longer than leases last and than a connection may be silent. The broker answers meanwhile, delivers what is
 * durable, and takes nothing for lost.
 */
export const slowSync = stagedFault({
  name: 'slow-sync',
  about: 'a disk of 2 s a sync (preloaded), under leases of 2 s and 400 ms and heartbeats of 500 ms',
  obstacle: syncDelayObstacle,
  configuration(scale) {
    const { syncMs, leaseMs, shortLeaseMs, inFlight, quickMs, slowMs } = load[scale]
    return {
      processes: `one broker (strict), ${workers} workers, one more that never gets a task`,
      'sync ms': syncMs,
      'lease ms': `${leaseMs}, of two tasks in four ${shortLeaseMs}`,
      tasks: 'one in four with retry: none, one in four with a ttl of two syncs',
      'in flight': inFlight,
      'concurrency, each worker': concurrency,
      'handler ms': `0 – ${1.5 * shortLeaseMs}`,
      'heartbeat ms': heartbeatMs,
      'load ms': `${quickMs} on the quick disk, then ${slowMs} on the slow one`,
    }
  },

  async run(scale, _, random): Promise<Shown> {
    const { syncMs, leaseMs, shortLeaseMs, inFlight, quickMs, slowMs } = load[scale]
    const scratch = new Scratch()
    const disk = new SyncDelay(scratch)
    await using stage = await Stage.open({ heartbeatMs, graceMs: 10_000, env: disk.env }, scratch)
    const starting = Array.from({ length: workers }, () => stage.startWorker(concurrency))
    const working = await Promise.all([...starting, stage.startWorker(concurrency, 'idle')])
    using pinging = await Pinging.start(stage.broker.url)

    const kinds = [
      { leaseMs },
      { leaseMs: shortLeaseMs },
      { leaseMs: shortLeaseMs, retry: { kind: 'none' } },
      { leaseMs, ttlMs: 2 * syncMs },
    ] as const
    let submitted = 0
    const stop = stage.produce(inFlight, async () => {
      await sleep(pauseMsMax * random())
      return stage.submit({ workMs: 1.5 * shortLeaseMs * random() }, kinds[submitted++ % kinds.length]!)
    })
    await sleep(quickMs)
    const quickTripsMs = pinging.take()
    const slowFromMs = machineMs()
    disk.set(syncMs)
    await sleep(slowMs)
    await stop()
    const slowTripsMs = pinging.take()
    const pingingClosed = [...pinging.closed]
    const slowUntilMs = machineMs()
    disk.set(0)

    const { tasks, views, starts, broken } = await stage.judge()
    const told = await Promise.all(working.map(({ child }) => child.call<Told>('told')))
    const everybody = [stage.heard.told, ...told]
    const syncs = disk.syncs()
    const slowSyncs = syncs.filter(({ fromMs, untilMs }) => fromMs >= slowFromMs && untilMs <= slowUntilMs)
    const died = ({ id, outcome }: StagedTask) =>
      outcome !== undefined &&
      isDeadOutcome(outcome) &&
      !(views.get(id)!.reason === 'expired' && starts.get(id)!.length === 0)
    const quickMs99 = quantile(quickTripsMs, 0.99)
    const slowMs99 = quantile(slowTripsMs, 0.99)
    return {
      measured: {
        'tasks accepted': { value: tasks.length, unit: 'tasks' },
        'of them on the slow disk': {
          value: tasks.filter(({ acceptedMs }) => acceptedMs > slowFromMs).length,
          unit: 'tasks',
        },
        'slow syncs': { value: slowSyncs.length, unit: 'syncs' },

        'expired before a first delivery': {
          value: tasks.filter(({ id }) => views.get(id)!.reason === 'expired').length,
          unit: 'tasks',
        },
        'ping to pong, quick disk, p99': { value: quickMs99, unit: 'ms' },
        'ping to pong, slow disk, p99': { value: slowMs99, unit: 'ms', target: atMost(syncMs / 4) },
        // A processor that is busy elsewhere for long makes some as well, so that a few say nothing.
        'connections made again': {
          value: everybody.reduce((sum, { resumptions }) => sum + resumptions, 0),
          unit: 'connections',
        },
        'slow to quick': { value: slowMs99 / quickMs99, unit: '×' },
      },
      broken: {
        ...broken,
        'sessions lost': [
          ...everybody.filter((each) => sessionsLost(each) > 0).map(({ closes }) => `closed at ${closes}`),
          ...pingingClosed,
        ],
        'leases of live workers expired': [
          ...told.flatMap(({ expired }) => expired),
          ...tasks.filter(({ id }) => lostAttempts(views.get(id)!) > 0).map(({ id }) => id),
        ],
        'spurious deaths': tasks.filter(died).map(({ id, outcome }) => `${id} (${outcome})`),
        'handlers run twice': tasks.filter(({ id }) => starts.get(id)!.length > 1).map(({ id }) => id),
        'accepted before a sync': tasks.filter((task) => !isSynced(task, syncs)).map(({ id }) => id),
      },
    }
  },
})

/** Whether a sync that began after the submission ended before it was answered. */
function isSynced({ submittedMs, acceptedMs }: StagedTask, syncs: readonly Sync[]): boolean {
  return syncs.some(({ fromMs, untilMs }) => fromMs >= submittedMs && untilMs <= acceptedMs)
}
