import type { Configuration, Scale } from '../bench.ts'
import { atMost, type Figure, figure } from '../figure.ts'
import { sleep, until } from '../wait.ts'
import { BrokerCommand, type Ended } from './broker-command.ts'
import type { Fault, FaultRun, Round } from './fault.ts'
import { isDeadOutcome } from './outcome.ts'
import { seededRandom } from './random.ts'
import { recordedOutcomes } from './recorded.ts'
import { changedOutcomes } from './verdict.ts'
import { Witness } from './witness.ts'

/** Where one round's journal lies, and how writing there comes to fail. */
export interface Ground extends AsyncDisposable {
  readonly dataFile: string
  /** What the broker has to say of the failure. */
  readonly reason: RegExp
  /** How to start a program where the file is. */
  enter?(command: readonly string[]): string[]
  /** Makes writes of this process fail; left out where room runs out by itself. */
  strike?(pid: number): void
  /** After the broker has ended, before it is started again for the first time. */
  ease?(): void
  /** Takes the cause away. */
  mend(): void
  /** Forgets what the system holds in memory alone, as a power cut does. */
  forget?(): void
}

export interface GroundFault {
  name: string
  about: string
  obstacle?(): string | undefined
  configuration: Configuration
  prepare(random: () => number): Promise<Ground>
}

/** A broker that has to end on its own has ended within this. */
const endsWithinMs = 30_000
/** After a restart with room, a task without an outcome for this long is lost. */
const lostAfterMs = 60_000
const load = {
  full: { inFlight: 50, fillerMax: 20_000, workMsMax: 20, loadMs: 1000 },
  quick: { inFlight: 20, fillerMax: 20_000, workMsMax: 5, loadMs: 200 },
}

/** `sluice broker` writes where writing comes to fail: it has to say so and end, and to have lost nothing when it can go on. */
export function groundFault(fault: GroundFault): Fault {
  return {
    name: fault.name,
    about: fault.about,
    ...(fault.obstacle && { obstacle: fault.obstacle }),
    begin: async (scale) => new GroundRun(fault, scale),
  }
}

class GroundRun implements FaultRun {
  readonly configuration
  readonly #fault: GroundFault
  readonly #scale: Scale
  readonly #acceptedBefore: number[] = []
  readonly #acceptedAfter: number[] = []
  #lost = 0
  #changed = 0
  #wrong = 0
  #silent = 0
  #refusedAgain = 0

  constructor(fault: GroundFault, scale: Scale) {
    this.#fault = fault
    this.#scale = scale
    const { inFlight, fillerMax } = load[scale]
    this.configuration = {
      processes: 'sluice broker (strict), and one process that submits and works',
      'in flight': inFlight,
      'body bytes': `0 – ${fillerMax}`,
      ...fault.configuration,
    }
  }

  async run(_: number, seed: number): Promise<Round> {
    const random = seededRandom(seed)
    const { loadMs, ...load_ } = load[this.#scale]
    const findings: string[] = []
    await using ground = await this.#fault.prepare(random)
    const start = (port: number) => BrokerCommand.start(ground.dataFile, port, ground.enter?.bind(ground))

    const first = await start(0)
    if (!(first instanceof BrokerCommand)) throw new Error(`the broker did not start:\n${first.said}`)
    await using _first = first
    const port = Number(new URL(first.url).port)
    await using witness = new Witness({ url: first.url, random, ...load_ })
    witness.work()
    witness.submit()
    let hasEnded = false
    first.ended.then(() => {
      hasEnded = true
    })
    await until('the first task is accepted', async () => hasEnded || witness.accepted.length > 0, endsWithinMs)
    await sleep(loadMs * random())
    ground.strike?.(first.pid)
    const ended = await Promise.race([first.ended, sleep(endsWithinMs)])
    if (ended) findings.push(...this.#wordsMissing(ended, ground))
    else findings.push(`the broker still ran ${endsWithinMs} ms after writes had begun to fail`)
    if (!ended) await first.kill()
    const before = witness.accepted.length
    ground.ease?.()

    // Where the log was folded into the file at the end, there is room for a start; else it ends again, in the same way.
    const again = await start(port)
    if (again instanceof BrokerCommand) {
      await sleep(loadMs * random())
      await again.kill()
    } else {
      this.#refusedAgain++
      findings.push(...this.#wordsMissing(again, ground))
    }

    ground.mend()
    const restarted = await start(port)
    if (!(restarted instanceof BrokerCommand)) throw new Error(`the broker did not start again:\n${restarted.said}`)
    await using _restarted = restarted
    await sleep(loadMs)
    await witness.settled(lostAfterMs)
    await restarted.kill()
    ground.forget?.()
    const last = await start(port)
    if (!(last instanceof BrokerCommand)) throw new Error(`the broker did not start a last time:\n${last.said}`)
    await using _last = last

    const { accepted, wrong, refused } = witness
    const ids = accepted.map(({ id }) => id)
    const lost = accepted.filter(({ outcome }) => outcome === undefined)
    const changed = changedOutcomes(accepted, await recordedOutcomes(last.httpUrl, ids))
    const dead = accepted.filter(({ outcome }) => outcome !== undefined && isDeadOutcome(outcome))
    this.#acceptedBefore.push(before)
    this.#acceptedAfter.push(accepted.length - before)
    this.#lost += lost.length
    this.#changed += changed.length
    this.#wrong += wrong.length
    findings.push(...wrong.slice(0, 3), ...refused.slice(0, 3), ...dead.slice(0, 3).map(({ outcome }) => outcome!))
    if (lost.length > 0) findings.push(`${lost.length} lost, such as ${lost[0]!.id}`)
    if (changed.length > 0) findings.push(`${changed.length} changed, such as ${changed[0]}`)
    return {
      summary: `${before} accepted before the failure, ${accepted.length - before} after, ${lost.length} lost, ${changed.length} changed`,
      findings,
    }
  }

  figures(): Figure[] {
    return [
      figure('accepted before the failure', 'tasks', this.#acceptedBefore),
      figure('accepted after it', 'tasks', this.#acceptedAfter),
      figure('accepted tasks lost', 'tasks', [this.#lost], atMost(0)),
      figure('outcomes recorded twice', 'tasks', [this.#changed], atMost(0)),
      figure('wrong bodies', 'tasks', [this.#wrong], atMost(0)),
      figure('ends without exit code and reason', 'ends', [this.#silent], atMost(0)),
      figure('starts refused for the same reason', 'starts', [this.#refusedAgain]),
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** What a broker that ended for its disk did not say or do. */
  #wordsMissing({ code, signal, said }: Ended, { dataFile, reason }: Ground): string[] {
    if (code === 1 && reason.test(said) && said.includes(dataFile)) return []
    this.#silent++
    return [
      `ended with ${signal ?? `exit code ${code}`}, and said: ${said.trim().split('\n').slice(-5).join(' | ').slice(0, 1000)}`,
    ]
  }
}
