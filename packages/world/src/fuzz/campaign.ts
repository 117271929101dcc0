import type { Violation } from '../observation.ts'
import type { Explanation } from './examine.ts'
import type { Pool } from './pool.ts'
import { Tally } from './tally.ts'

/** A seed that violated a rule and, if it was asked for, its story. */
/** Where `pnpm dev` serves the simulator. */
const SIMULATOR_URL = 'http://127.0.0.1:5173/simulator/'

export interface Finding {
  seed: number
  violation: Violation
  /** The scenario came from a file, so the seed alone does not make this world. */
  isFromFile?: boolean
  explanation?: Explanation
}

export interface Campaign {
  tally: Tally
  /** The first seed of each rule that was violated. */
  findings: Finding[]
  /** Every seed with a violation. */
  violating: { seed: number; rules: string[] }[]
  tookMs: number
}

/** Runs `count` seeds from `first` on. `done` is called as each ends, in no order. */
export async function campaign(
  pool: Pool,
  first: number,
  count: number,
  done: (tally: Tally) => void = () => {},
): Promise<Campaign> {
  const startedMs = performance.now()
  const tally = new Tally()
  const byRule = new Map<string, Finding>()
  const violating: Campaign['violating'] = []
  await Promise.all(
    Array.from({ length: count }, async (_, at) => {
      const seed = first + at
      const examination = await pool.examine(seed)
      tally.add(examination)
      const { violations } = examination.report
      if (violations.length > 0) violating.push({ seed, rules: [...new Set(violations.map(({ rule }) => rule))] })
      for (const violation of violations) {
        const known = byRule.get(violation.rule)
        if (known === undefined || known.seed > seed) byRule.set(violation.rule, { seed, violation })
      }
      done(tally)
    }),
  )
  violating.sort((a, b) => a.seed - b.seed)
  return { tally, findings: [...byRule.values()], violating, tookMs: performance.now() - startedMs }
}

/** Formats a finding for the person who follows it. */
export function findingText({ seed, violation, isFromFile = false, explanation }: Finding): string {
  const head = `seed ${seed} violates ${violation.rule}`
  const again = isFromFile
    ? []
    : [`again: pnpm fuzz --seed ${seed}`, `open: ${SIMULATOR_URL}#fuzz=${seed}&at=${violation.atMs}`]
  if (explanation === undefined) return [head, `  ${violation.message}`, ...again].join('\n')
  const { scenario } = explanation.minimised
  return [
    `${head}; made smaller in ${explanation.runs} runs:`,
    '',
    ...explanation.story.map((line) => `  ${line}`),
    '',
    `  ${JSON.stringify(scenario)}`,
    ...(again.length === 0 ? [] : ['', ...again]),
  ].join('\n')
}
