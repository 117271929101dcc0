import type { Change, Observation, TimedChange } from '@sluice/world'
import { parseTrace } from '@sluice/world/trace'
import { Arrivals, isWire } from './arrivals.ts'
import { Buffers } from './buffers.ts'
import type { Plan } from './plan.ts'
import { Playable } from './playable.ts'

/** A run that was written down. It is shown like one that a world makes, and it cannot go on differently. */
export class TracedRun extends Playable {
  readonly plan: Plan
  readonly headMs: number
  readonly hasEnded = true

  /**
   * @throws SyntaxError naming the line that cannot be read
   * @throws RangeError if the trace has too little in it to be shown
   */
  constructor(text: string) {
    const { scenario, seed, observations } = parseTrace(text)
    super(Number.POSITIVE_INFINITY)
    if (observations[0]?.type !== 'worldStarted')
      throw new RangeError('the trace does not begin with the start of its world, so its machines are not known')
    if (!observations.some(({ type }) => type === 'transition'))
      throw new RangeError(
        `the trace has no transitions, so nobody can see where a task is; write it anew with pnpm fuzz --seed ${seed} --trace FILE`,
      )
    const arrivals = new Arrivals()
    const buffers = new Buffers()
    const changes: TimedChange[] = []
    for (const observation of withSameMessages(observations)) {
      if (observation.type === 'frame' && !buffers.isNews(observation)) continue
      if (observation.type === 'changed') changes.push({ atMs: observation.atMs, change: observation.change })
      this.history.add(arrivals.seen(observation))
    }
    this.plan = { scenario, seed, changes }
    this.headMs = observations.at(-1)?.atMs ?? 0
  }

  async reach(): Promise<void> {}

  protected want(): void {}

  change(_: number, change: Change): void {
    throw new RangeError(`a trace shows what has happened and cannot be changed (${change.type}); run its plan instead`)
  }
}

/**
 * A message that is heard is the very one that was sent, by which its arrival is found. Written down they are two, so
 * here they are made one again.
 */
function* withSameMessages(observations: readonly Observation[]): Generator<Observation> {
  const ways = new Map<string, { text: string; message: object }[]>()
  for (const observation of observations) {
    if (!isWire(observation)) {
      yield observation
      continue
    }
    const { type, connection } = observation
    const isUp = type === 'sentToBroker' || type === 'heardByBroker'
    const key = `${connection} ${isUp ? 'up' : 'down'}`
    const way = ways.get(key) ?? []
    ways.set(key, way)
    const text = JSON.stringify(observation.message)
    if (type === 'sentToBroker' || type === 'sentByBroker') {
      way.push({ text, message: observation.message })
      yield observation
      continue
    }
    const at = way.findIndex((one) => one.text === text)
    if (at === -1) {
      yield observation
      continue
    }
    const message = way[at]?.message as object
    way.splice(0, at + 1)
    yield { ...observation, message } as Observation
  }
}
