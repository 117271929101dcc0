import { VirtualClock } from '@sluice/testing'
import type { Context } from '../src/context.ts'
import type { Endpoint } from '../src/network/endpoint.ts'
import { Network } from '../src/network/network.ts'
import { Process } from '../src/nodes/process.ts'
import type { Observation } from '../src/observation.ts'
import { RandomSource } from '../src/random.ts'
import type { NetworkProfile, Scenario } from '../src/scenario.ts'

/** A scenario in which nobody does anything. */
export const emptyScenario: Scenario = {
  name: 'empty',
  durationMs: 1000,
  settleMs: 1000,
  journal: { appendMs: { kind: 'constant', value: 0 }, readMs: { kind: 'constant', value: 0 } },
  network: { delayMs: { kind: 'constant', value: 10 } },
  producers: [],
  workers: [],
}

/** What nodes stand on, without a node. */
export function makeContext(scenario: Partial<Scenario> = {}, seed = 1) {
  const clock = new VirtualClock()
  const seen: Observation[] = []
  const errors: unknown[] = []
  const context: Context = {
    clock,
    random: new RandomSource(seed),
    scenario: { ...emptyScenario, ...scenario },
    observe: (body) => seen.push({ ...body, atMs: clock.nowMs } as Observation),
    escaped: (_, error) => errors.push(error),
    isWireWatched: true,
    areTransitionsWatched: false,
    hasEntered: false,
  }
  return { context, clock, seen, errors }
}

const steady = { clockOffsetMs: 0, lateMs: 0, resumesAtMs: 0 }

/** One end, and what it has heard. */
interface Heard {
  frames: (string | Uint8Array)[]
  /** When each of them was handed over. */
  atMs: number[]
  opened: boolean
  closed: { code: number; reason: string } | undefined
  drains: number
}

/** A node called `worker-1` connected to a broker, without product code at either end. */
export function makeConnection(network: Partial<NetworkProfile> = {}) {
  const surroundings = makeContext({ network: { delayMs: { kind: 'constant', value: 10 }, ...network } })
  const { context, clock } = surroundings
  const wires = new Network(context)
  const machine = { ...steady }
  const broker = new Process(context, 'broker', 1, { ...steady })
  const worker = new Process(context, 'worker-1', 1, machine)
  const atNode = emptyHeard()
  const atBroker = emptyHeard()
  let brokerEnd: Endpoint | undefined
  wires.listener = {
    process: broker,
    accept: (end) => {
      brokerEnd = end
      end.owner = {
        onOpen: () => {},
        onFrame: (frame) => hear(atBroker, frame, clock.nowMs),
        onClosed: (code, reason) => {
          atBroker.closed = { code, reason }
        },
        onDrain: () => {
          atBroker.drains += 1
        },
      }
    },
  }
  const connect = () => {
    const socket = wires.connect(worker)
    socket.onopen = () => {
      atNode.opened = true
    }
    socket.onmessage = (frame) => hear(atNode, frame, clock.nowMs)
    socket.onclose = (close) => {
      atNode.closed = close
    }
    return socket
  }
  const socket = connect()
  clock.advance(100)
  return {
    ...surroundings,
    wires,
    machine,
    broker,
    worker,
    connect,
    socket,
    atNode,
    atBroker,
    get brokerEnd() {
      if (!brokerEnd) throw new Error('nobody has connected')
      return brokerEnd
    },
  }
}

function emptyHeard(): Heard {
  return { frames: [], atMs: [], opened: false, closed: undefined, drains: 0 }
}

function hear(heard: Heard, frame: string | Uint8Array, nowMs: number): void {
  heard.frames.push(frame)
  heard.atMs.push(nowMs)
}
