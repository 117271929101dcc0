import type { Context } from '../context.ts'
import { grained } from '../context.ts'
import { draw } from '../distribution.ts'
import { Nag } from '../network/nag.ts'
import type { Network, Tampering } from '../network/network.ts'
import { Overdraft } from '../network/overdraft.ts'
import { TextSpeaker } from '../network/text-speaker.ts'
import type { Awaited } from '../observation.ts'
import type { ProducerGroup } from '../scenario.ts'
import { clientPlatform } from './client-platform.ts'
import { Node } from './node.ts'
import type { Process } from './process.ts'
import { type ProducerNotes, ProducerProgram } from './producer-program.ts'

/** A machine with a producer's program. Its notes survive the program. */
export class ProducerNode extends Node {
  readonly group: ProducerGroup
  readonly #watchesProgress: boolean
  readonly #notes: ProducerNotes = { submissions: new Map(), wishes: 0, retries: 0 }
  #program: ProducerProgram | undefined
  #isQuiet = false
  #cancelVanishing: () => void = () => {}

  constructor(context: Context, network: Network, name: string, group: ProducerGroup, watchesProgress: boolean) {
    super(context, network, name)
    this.group = group
    this.#watchesProgress = watchesProgress
  }

  get isWaiting(): boolean {
    return this.waiting.length > 0
  }

  /** What someone still waits for. */
  get waiting(): Awaited[] {
    if (!this.isUp && !this.isReturning) return []
    const submissions = [...this.#notes.submissions.keys()].map(
      (id): Awaited => ({ node: this.name, id, what: 'submission' }),
    )
    return [...submissions, ...(this.#program?.asides ?? [])]
  }

  /** Leaves for good and without a goodbye, if its group does. */
  vanishInTime(): void {
    const { vanishesAfterMs } = this.group
    if (!vanishesAfterMs) return
    const chance = this.context.random.stream(`${this.name} vanishes`)
    this.#cancelVanishing = this.context.clock.setTimer(() => this.vanish(), grained(draw(vanishesAfterMs, chance)))
  }

  /** Nothing new is wanted from now on. */
  quiet(): void {
    this.#isQuiet = true
    this.#cancelVanishing()
    this.#program?.quiet()
  }

  /** How its tasks arrive has changed. */
  arriveAnew(): void {
    if (!this.#isQuiet) this.#program?.arriveAnew()
  }

  protected run(process: Process): void {
    const program = new ProducerProgram({
      context: this.context,
      process,
      platform: clientPlatform(this.context, this.network, process, {
        tampering: this.#tampering(process),
        drawsAlike: this.group.drawsAlike ?? false,
      }),
      group: this.group,
      notes: this.#notes,
      watchesProgress: this.#watchesProgress,
      onFailed: (reason) => this.fail(process, reason),
    })
    this.#program = program
    program.start()
    if (this.#isQuiet) program.quiet()
  }

  #tampering(process: Process): Tampering | undefined {
    const { speaksText, ignoresCredit, nagsEveryMs: everyMs } = this.group
    const { limits } = this.network
    if (everyMs !== undefined) return new Nag({ limits, process, everyMs, isOver: () => this.#isQuiet })
    if (ignoresCredit) return new Overdraft(limits)
    return speaksText ? new TextSpeaker(limits) : undefined
  }

  protected async leave(): Promise<void> {
    await this.#program?.close()
  }

  protected override ended(): void {
    this.#program = undefined
  }
}
