import type { Scenario, TimedChange } from '@sluice/world'
import { applied, type Difference, differenceOf } from './difference.ts'
import { pack, unpack } from './packed.ts'

/** A run, and how it is looked at: everything that a link carries. */
export interface SharedRun {
  /** The preset from which the scenario was made. */
  preset: string
  scenario: Scenario
  seed: number
  changes: readonly TimedChange[]
  /** The instant that is shown, in ms of the world. */
  atMs: number
  /** Simulated ms in one ms of a watch. */
  speed: number
}

/**
 * Scenarios by name. A link says only what differs from one of them, so a preset that links name does not change: another
 * one gets another name.
 */
export type Presets = Readonly<Record<string, Scenario>>

/** A link cannot be opened, or a run is too long for one. The message says why and what to do. */
export class ShareError extends Error {
  override readonly name = 'ShareError'
}

/** The most characters of an address behind its `#`. Some programs cut longer ones off. */
const LENGTH_MAX = 2048
/** Raised when an older page would misread a link. What older versions wrote is read for ever. */
const VERSION = 1
const SEED_MAX = Number.MAX_SAFE_INTEGER

/** Version 1, with short names. What is left out has its default. */
interface Link {
  p: string
  /** Of the preset as it was when the link was made. */
  h: number
  d?: Difference
  s: number
  c?: readonly (readonly [atMs: number, change: TimedChange['change']])[]
  t?: number
  v?: number
}

const READERS: Readonly<Record<number, (link: unknown, presets: Presets) => SharedRun>> = { 1: readV1 }

/**
 * The part of an address behind its `#`, such as `run=1.q1YqU7JS…`.
 * @throws ShareError if there is no such preset, or the run is too long for a link
 */
export async function addressOf(run: SharedRun, presets: Presets): Promise<string> {
  const { preset, scenario, seed, changes, atMs, speed } = run
  const base = presetNamed(preset, presets)
  const difference = differenceOf(base, scenario)
  const link: Link = {
    p: preset,
    h: digestOf(base),
    ...(difference === undefined ? {} : { d: difference }),
    s: seed,
    ...(changes.length === 0 ? {} : { c: changes.map((one) => [one.atMs, one.change]) }),
    ...(atMs === 0 ? {} : { t: atMs }),
    ...(speed === 1 ? {} : { v: speed }),
  }
  const address = `run=${VERSION}.${await pack(JSON.stringify(link))}`
  if (address.length > LENGTH_MAX)
    throw new ShareError(
      `the run needs a link of ${address.length} characters, where ${LENGTH_MAX} is the most: make fewer changes, or save its trace instead`,
    )
  return address
}

/**
 * The run of an address. `presets` are those of this page.
 * @throws ShareError naming what is wrong with the link
 */
export async function runOfAddress(address: string, presets: Presets): Promise<SharedRun> {
  const [, version, packed] = /^run=(\d+)\.([\w-]+)$/.exec(address) ?? []
  if (version === undefined || packed === undefined)
    throw new ShareError('the link is no link to a run, or a part of it is missing: copy all of it')
  const read = READERS[Number(version)]
  if (read === undefined)
    throw new ShareError(
      `the link is of version ${version}, and this page reads up to ${VERSION}: open it in a newer one`,
    )
  let link: unknown
  try {
    link = JSON.parse(await unpack(packed))
  } catch {
    throw new ShareError('the link is damaged: a part of it was cut off or changed')
  }
  return read(link, presets)
}

function readV1(link: unknown, presets: Presets): SharedRun {
  const { p, h, d, s, c = [], t = 0, v = 1 } = (isFields(link) ? link : {}) as Partial<Link>
  if (typeof p !== 'string') throw wrong('preset', p, 'a name')
  const base = presetNamed(p, presets)
  // What differs from a preset is nothing without that preset.
  if (d !== undefined && h !== digestOf(base))
    throw new ShareError(`the link was made when the preset “${p}” was another one, and says only what differs from it`)
  if (!Number.isInteger(s) || (s as number) < 0 || (s as number) > SEED_MAX) throw wrong('seed', s, 'a whole number')
  if (!isTime(t)) throw wrong('instant', t, 'a time in ms')
  if (typeof v !== 'number' || !(v > 0 && v <= 1e9)) throw wrong('speed', v, 'a number above 0')
  if (!Array.isArray(c)) throw wrong('changes', c, 'a list')
  const changes = c.map((one: unknown, at): TimedChange => {
    const [atMs, change] = Array.isArray(one) ? one : []
    if (!isTime(atMs) || !isFields(change) || typeof change.type !== 'string')
      throw wrong(`change ${at + 1}`, one, 'a time in ms and a change')
    return { atMs, change: change as TimedChange['change'] }
  })
  return { preset: p, scenario: scenarioOf(base, d), seed: s as number, changes, atMs: t, speed: v }
}

function scenarioOf(base: Scenario, difference: Difference | undefined): Scenario {
  let scenario: unknown
  try {
    scenario = applied(base, difference)
  } catch (error) {
    throw new ShareError(`the link does not fit its preset: ${(error as Error).message}`)
  }
  const { durationMs, producers, workers, network, journal } = scenario as Partial<Scenario>
  if (
    !isTime(durationMs) ||
    !Array.isArray(producers) ||
    !Array.isArray(workers) ||
    !isFields(network) ||
    !isFields(journal)
  )
    throw new ShareError('the link does not fit its preset: what comes of it is no scenario')
  return scenario as Scenario
}

function presetNamed(name: string, presets: Presets): Scenario {
  const preset = Object.hasOwn(presets, name) ? presets[name] : undefined
  if (preset !== undefined) return preset
  throw new ShareError(`there is no preset “${name}” here; there are ${Object.keys(presets).join(', ')}`)
}

function wrong(what: string, value: unknown, where: string): ShareError {
  const text = JSON.stringify(value) ?? 'nothing'
  return new ShareError(
    `the link has ${text.length > 40 ? `${text.slice(0, 40)}…` : text} as its ${what}, where ${where} must be`,
  )
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1e12
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** FNV-1a of it as text, by which a changed preset is found. */
function digestOf(preset: Scenario): number {
  const text = JSON.stringify(preset)
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
