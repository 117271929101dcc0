import type { Configuration, Scale } from '../bench.ts'
import { atMost, type Figure, figure, type Target } from '../figure.ts'
import type { Fault, FaultRun, Round } from './fault.ts'
import { seededRandom } from './random.ts'

/** What one round showed, by the names of the figures. Each round has the same ones. */
export interface Shown {
  /** How often something was met, and what was measured. */
  measured: Record<string, { value: number; unit: string; target?: Target }>
  /** What went against a promise, each case in a few words. */
  broken: Record<string, readonly string[]>
}

/** A fault whose rounds have nothing in common: each has processes of its own. */
export interface StagedFault {
  name: string
  about: string
  obstacle?(): string | undefined
  configuration(scale: Scale): Configuration
  run(scale: Scale, round: number, random: () => number): Promise<Shown>
}

/** A few cases are enough to find the others. */
const casesNamed = 3

export function stagedFault(fault: StagedFault): Fault {
  return {
    name: fault.name,
    about: fault.about,
    ...(fault.obstacle && { obstacle: fault.obstacle }),
    begin: async (scale) => new StagedFaultRun(fault, scale),
  }
}

class StagedFaultRun implements FaultRun {
  readonly configuration
  readonly #fault: StagedFault
  readonly #scale: Scale
  readonly #shown: Shown[] = []

  constructor(fault: StagedFault, scale: Scale) {
    this.#fault = fault
    this.#scale = scale
    this.configuration = fault.configuration(scale)
  }

  async run(round: number, seed: number): Promise<Round> {
    const shown = await this.#fault.run(this.#scale, round, seededRandom(seed))
    this.#shown.push(shown)
    const measured = Object.entries(shown.measured)
    const broken = Object.entries(shown.broken).filter(([, cases]) => cases.length > 0)
    return {
      summary: measured
        .map(([name, { value, unit }]) => `${name}: ${Math.round(value * 100) / 100} ${unit}`)
        .join(', '),
      findings: broken.map(([name, cases]) => `${name}: ${cases.length}, such as ${cases.slice(0, casesNamed)}`),
    }
  }

  figures(): Figure[] {
    const [first] = this.#shown
    return [
      ...Object.entries(first!.measured).map(([name, { unit, target }]) =>
        figure(
          name,
          unit,
          this.#shown.map(({ measured }) => measured[name]!.value),
          target,
        ),
      ),
      ...Object.keys(first!.broken).map((name) => {
        const cases = this.#shown.reduce((sum, { broken }) => sum + broken[name]!.length, 0)
        return figure(name, 'cases', [cases], atMost(0))
      }),
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
