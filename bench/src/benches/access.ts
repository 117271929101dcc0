import { loadavg } from 'node:os'
import { signToken } from '@sluice/broker'
import type { Bench, Scale } from '../bench.ts'
import { startBroker } from '../broker.ts'
import { type Child, Processes } from '../child.ts'
import { atMost, figure } from '../figure.ts'
import { Scratch } from '../machine.ts'
import type { BrokerSettings, MemoryUse } from '../processes/broker.ts'
import { queue, startWorker } from '../system.ts'
import { inFlight } from './ceiling.ts'

const producerProcess = new URL('../processes/producer.ts', import.meta.url)
const workersProcess = new URL('../processes/idle-workers.ts', import.meta.url)
const flooderProcess = new URL('../processes/flooder.ts', import.meta.url)

const SECRET = 'a secret of thirty-two bytes or more, for benchmarks'
const TOKEN_MS = 86_400_000
const FLOODED_QUEUE = 'flooded'
/** What one principal may submit a second where another floods, and the tasks that the honest one has under way. */
const FLOOD = { submitsPerSecond: 2000, sessions: 4, inFlight: 8 }

const sizes = {
  full: { windows: 20, window: { warmUpMs: 300, runMs: 1500 }, sessions: 5000, repetitions: 3 },
  quick: { windows: 1, window: { warmUpMs: 100, runMs: 300 }, sessions: 100, repetitions: 1 },
} as const satisfies Record<Scale, object>

const tokenOf = (sub: string) => signToken(SECRET, { sub, scope: `submit work read` }, TOKEN_MS)

interface System {
  broker: Child
  producer: Child
  url: string
}

/** Broker, worker and producer, with access control or without. */
async function system(processes: Processes, settings: BrokerSettings): Promise<System> {
  const { child: broker, url } = await startBroker(processes, settings)
  const token = settings.access && (await tokenOf('honest'))
  await startWorker(processes, url, token)
  const producer = await processes.start(producerProcess, { url, queue, ...(token && { token }) })
  return { broker, producer, url }
}

/** Tasks a second, and processor time of the broker for each task in µs. */
interface Pace {
  rate: number
  taskUs: number
}

/** The pace with and without access control, window by window: two systems are up and take turns. */
async function throughputCost({ windows, window }: (typeof sizes)[Scale]) {
  await using processes = new Processes()
  const open = await system(processes, { durability: 'memory' })
  const controlled = await system(processes, { durability: 'memory', access: { secret: SECRET } })
  const paceOf = async ({ broker, producer }: System): Promise<Pace> => {
    const [us, finished] = [await broker.call<number>('processorTime'), await producer.call<number>('finished')]
    const rate = await producer.call<number>('throughput', { inFlight, ...window })
    const tasks = (await producer.call<number>('finished')) - finished
    return { rate, taskUs: ((await broker.call<number>('processorTime')) - us) / tasks }
  }
  const paces: { open: Pace; controlled: Pace }[] = []
  for (let n = 0; n < windows; n += 1) {
    // Each is first as often as second.
    const first = n % 2 === 0 ? await paceOf(open) : undefined
    const second = await paceOf(controlled)
    paces.push({ open: first ?? (await paceOf(open)), controlled: second })
  }
  return paces
}

/** What a session takes of heap and buffers, in bytes. */
async function sessionBytes(count: number, access: BrokerSettings['access']): Promise<number> {
  await using processes = new Processes()
  const quotas = {
    principalConnectionsMax: count * 2,
    addressConnectionsMax: count * 2,
    principalCreditMax: count * 100,
  }
  const settings = { durability: 'memory', ...(access && { access, quotas }) } as const
  const { child, url } = await startBroker(processes, settings, ['--expose-gc'])
  const token = access && (await tokenOf('honest'))
  const connect = (count: number) => processes.start(workersProcess, { url, queue, count, ...(token && { token }) })
  const used = async () => {
    const { heapUsed, external } = await child.call<MemoryUse>('memory')
    return heapUsed + external
  }
  // The first connections pay for code and buffers that all others share.
  await connect(50)
  const before = await used()
  await connect(count)
  return ((await used()) - before) / count
}

/** Tasks a second of one principal, alone and while another floods, window by window. */
async function floodCost({ windows, window }: (typeof sizes)[Scale]) {
  using scratch = new Scratch()
  await using processes = new Processes()
  const { producer, url } = await system(processes, {
    durability: 'strict',
    path: scratch.file('journal.db'),
    access: { secret: SECRET },
    quotas: { principalSubmitsPerSecond: FLOOD.submitsPerSecond },
  })
  const { sessions } = FLOOD
  const settings = { url, queue: FLOODED_QUEUE, token: await tokenOf('flooder'), sessions }
  const flooder = await processes.start(flooderProcess, settings)
  const rate = () => producer.call<number>('throughput', { inFlight: FLOOD.inFlight, ...window })
  const rates: { alone: number; flooded: number; accepted: number; refused: number }[] = []
  for (let n = 0; n < windows; n += 1) {
    const alone = await rate()
    await flooder.call('start')
    const startMs = performance.now()
    const flooded = await rate()
    const seconds = (performance.now() - startMs) / 1000
    const { accepted, refused } = await flooder.call<{ accepted: number; refused: number }>('stop')
    rates.push({ alone, flooded, accepted: accepted / seconds, refused: refused / seconds })
  }
  return rates
}

const lost = (before: number, after: number): number => 100 * (1 - after / before)

export const access: Bench = {
  name: 'access',
  async run(scale) {
    const size = sizes[scale]
    const load = () => (loadavg()[0] as number).toFixed(1)
    const loadBefore = load()
    const paces = await throughputCost(size)
    const flood = await floodCost(size)
    const open: number[] = []
    const controlled: number[] = []
    for (let n = 0; n < size.repetitions; n += 1) {
      open.push(await sessionBytes(size.sessions, undefined))
      controlled.push(await sessionBytes(size.sessions, { secret: SECRET }))
    }
    return {
      configuration: {
        throughput: 'one producer, one broker, one worker, in memory; two such systems are up and take turns',
        'in flight': inFlight,
        flood: `${FLOOD.sessions} sessions submit as fast as the broker reads; strict, ${FLOOD.submitsPerSecond} tasks a second for each principal, ${FLOOD.inFlight} of the other in flight`,
        sessions: size.sessions,
        windows: size.windows,
        'window ms': size.window.runMs,
        repetitions: size.repetitions,
        'load before and behind': `${loadBefore}, ${load()}`,
      },
      figures: [
        figure(
          'without access control',
          'tasks/s',
          paces.map((pace) => pace.open.rate),
        ),
        figure(
          'with access control',
          'tasks/s',
          paces.map((pace) => pace.controlled.rate),
        ),
        figure(
          'access control costs',
          '%',
          paces.map((pace) => lost(pace.open.rate, pace.controlled.rate)),
          atMost(3),
        ),
        figure(
          'broker without',
          'µs/task',
          paces.map((pace) => pace.open.taskUs),
        ),
        figure(
          'broker with',
          'µs/task',
          paces.map((pace) => pace.controlled.taskUs),
        ),
        figure(
          'access control costs the broker',
          '%',
          paces.map(({ open, controlled }) => lost(controlled.taskUs, open.taskUs)),
          atMost(3),
        ),
        figure('a session without', 'bytes', open),
        figure('a session with', 'bytes', controlled),
        figure(
          'access control adds',
          'bytes',
          controlled.map((bytes, n) => bytes - (open[n] as number)),
          atMost(1024),
        ),
        figure(
          'one principal alone',
          'tasks/s',
          flood.map(({ alone }) => alone),
        ),
        figure(
          'beside one that floods',
          'tasks/s',
          flood.map(({ flooded }) => flooded),
        ),
        figure(
          'a flood costs',
          '%',
          flood.map(({ alone, flooded }) => lost(alone, flooded)),
          atMost(10),
        ),
        figure(
          'accepted of the flood',
          'tasks/s',
          flood.map(({ accepted }) => accepted),
        ),
        figure(
          'refused of the flood',
          'tasks/s',
          flood.map(({ refused }) => refused),
        ),
      ],
    }
  },
}
