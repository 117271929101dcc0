import type { Device } from '../browser/device.ts'
import type { Context } from '../context.ts'
import type { Network } from '../network/network.ts'
import type { Awaited } from '../observation.ts'
import type { BrowserGroup } from '../scenario.ts'
import { clientPlatform } from './client-platform.ts'
import { Node } from './node.ts'
import type { Process } from './process.ts'
import { type TabNotes, TabProgram } from './tab-program.ts'

/** A tab of a browser. Its notes are what its user remembers: they survive the page. */
export class TabNode extends Node {
  readonly #group: BrowserGroup
  readonly #device: Device
  readonly #notes: TabNotes = { items: new Map(), wishes: 0 }
  #life: Process | undefined
  #program: TabProgram | undefined
  #isQuiet = false

  constructor(context: Context, network: Network, name: string, group: BrowserGroup, device: Device) {
    super(context, network, name)
    this.#group = group
    this.#device = device
  }

  get isWaiting(): boolean {
    return this.waiting.length > 0
  }

  /** What its user still waits for. */
  get waiting(): Awaited[] {
    return [...this.#notes.items.keys()].map((id): Awaited => ({ node: this.name, id, what: 'submission' }))
  }

  /** Nothing new is wanted from now on. */
  quiet(): void {
    this.#isQuiet = true
    this.#program?.quiet()
  }

  /** The page is told that it leaves the screen, and then frozen. Returns what ends it. */
  hide(forMs: number): (isEarly: boolean) => void {
    const program = this.#program
    this.process?.enter(() => program?.pause())
    this.pause(forMs)
    return (isEarly) => {
      if (isEarly) this.resume()
      if (this.#program === program) this.process?.enter(() => program?.resume())
    }
  }

  override start(): void {
    if (!this.#device.isOff) super.start()
  }

  protected run(process: Process): void {
    this.#life = process
    const program = new TabProgram({
      context: this.context,
      process,
      platform: clientPlatform(this.context, this.network, process),
      group: this.#group,
      device: this.#device,
      isFrozen: () => this.resumesAtMs > this.context.clock.nowMs,
      notes: this.#notes,
    })
    this.#program = program
    program.start()
    if (this.#isQuiet) program.quiet()
  }

  protected async leave(): Promise<void> {
    await this.#program?.close()
  }

  protected override ended(): void {
    if (this.#life !== undefined) this.#device.ended(this.#life)
    this.#life = undefined
    this.#program = undefined
  }
}
