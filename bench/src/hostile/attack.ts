import type { BrokerConfig } from '@sluice/broker'
import type { Scale } from '../bench.ts'

/** Where an attack is made, and from what. */
export interface Ground {
  url: string
  httpUrl: string
  /** Of a principal that may submit to the queue `attic` and take from it, and nothing else. */
  token: string
  /** Tokens that no broker may take, by what is wrong with them. */
  badTokens: Readonly<Record<string, string>>
  /** Tasks, leases and a session of another principal. */
  victim: { ids: readonly string[]; leases: readonly number[]; session: string }
  /** How many attempts to make. */
  attempts: number
  seed: number
}

/** A time that the broker may take to do something, as it was met. */
export interface Met {
  samplesMs: number[]
  atMostMs: number
}

/** What came of it, as the attacker sees it. */
export interface Spoils {
  attempts: number
  /** What was allowed and should not have been, each in a line; the first ones alone. */
  breaches: string[]
  /** What the attempts met, counted. */
  met: Record<string, number>
  /** How long things took that may take only so long. */
  took: Record<string, Met>
}

export interface Attack {
  readonly name: string
  readonly about: string
  readonly attempts: Readonly<Record<Scale, number>>
  /** Periods other than the defaults, for a quick run. */
  readonly quickHosting?: NonNullable<BrokerConfig['hosting']>
  /** What the broker may hold for it, in MiB. Default 100. */
  readonly rssMiBMax?: number
  run(ground: Ground): Promise<Spoils>
}

const BREACHES_MAX = 20

/** Collects what an attack meets. */
export class Tally implements Spoils {
  attempts = 0
  readonly breaches: string[] = []
  readonly met: Record<string, number> = {}
  readonly took: Record<string, Met> = {}

  meet(what: string, count = 1): void {
    this.met[what] = (this.met[what] ?? 0) + count
  }

  breach(what: string): void {
    if (this.breaches.length < BREACHES_MAX) this.breaches.push(what)
    this.meet('breaches')
  }

  take(what: string, ms: number, atMostMs: number): void {
    this.took[what] ??= { samplesMs: [], atMostMs }
    this.took[what].samplesMs.push(ms)
  }
}

export function portOf({ httpUrl }: Pick<Ground, 'httpUrl'>): number {
  return Number(new URL(httpUrl).port)
}

/** Runs `attempt` this often, so many at a time. */
export async function inParallel(
  count: number,
  width: number,
  attempt: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) {
      next += 1
      await attempt(next - 1)
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane))
}
