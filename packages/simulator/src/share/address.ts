import type { Plan } from '../engine/plan.ts'
import { type Presets, runOfAddress, type SharedRun, ShareError } from './shared-run.ts'

/** What an address asks for. `fuzz`: a world of `pnpm fuzz`, at an instant such as that of a violation. */
export type Asked = { kind: 'nothing' } | { kind: 'run'; run: SharedRun } | { kind: 'fuzz'; seed: number; atMs: number }

/**
 * What the part of an address behind its `#` asks for. Addresses of other views, such as lessons, ask for nothing here.
 * @throws ShareError naming what is wrong with it
 */
export async function askedBy(hash: string, presets: Presets): Promise<Asked> {
  const address = hash.startsWith('#') ? hash.slice(1) : hash
  if (address.startsWith('run=')) return { kind: 'run', run: await runOfAddress(address, presets) }
  if (!address.startsWith('fuzz=')) return { kind: 'nothing' }
  const fields = new URLSearchParams(address)
  const seed = numberOf(fields.get('fuzz'))
  if (seed === undefined || !Number.isSafeInteger(seed))
    throw new ShareError(`the link has “${fields.get('fuzz')}” as its seed, where a whole number must be`)
  const at = fields.get('at')
  const atMs = at === null ? 0 : numberOf(at)
  if (atMs === undefined) throw new ShareError(`the link has “${at}” as its instant, where a time in ms must be`)
  return { kind: 'fuzz', seed, atMs }
}

/** The world of `pnpm fuzz --seed`. What draws it is loaded only now. */
export async function fuzzPlan(seed: number): Promise<Plan> {
  const { swarm } = await import('@sluice/world/fuzz')
  return { scenario: swarm(seed), seed, changes: [] }
}

function numberOf(text: string | null): number | undefined {
  return text !== null && /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined
}
