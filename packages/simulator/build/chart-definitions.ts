import { createHash } from 'node:crypto'
import { LIFECYCLE } from '@sluice/engine'
import {
  BROKER,
  type Chart,
  type ChartState,
  type ChartTransition,
  type ChartTransitions,
  CONNECTION,
  OUTBOX_ITEM,
  PRODUCER,
  SESSION,
  SESSION_DELIVERY,
  SESSION_READING,
  SESSION_SERVICE,
  WORKER,
  WORKER_SLOT,
} from '@sluice/machines'
import type { ObservedMachine } from '@sluice/machines/states'

export interface DefinedState {
  /** Its path, with dots. */
  id: string
  parent: string | undefined
  kind: 'state' | 'final' | 'region'
  isInitial: boolean
}

export interface DefinedTransition {
  from: string
  to: string
  event: string
  guard?: string
  isDelay?: true
}

/** What a machine is, whichever way it is written down. */
export interface Definition {
  machine: ObservedMachine
  states: readonly DefinedState[]
  transitions: readonly DefinedTransition[]
}

type Table = Readonly<Record<string, Readonly<Partial<Record<string, string | readonly string[]>>>>>

/** @param at the path of what is around these states, with a dot at its end; empty if nothing is */
function ofTable(table: Table, at = ''): Omit<Definition, 'machine'> {
  const rows = Object.entries(table)
  return {
    states: rows.map(([name, row], place) => ({
      id: at + name,
      parent: at === '' ? undefined : at.slice(0, -1),
      kind: Object.keys(row).length === 0 && at === '' ? 'final' : 'state',
      isInitial: place === 0,
    })),
    transitions: rows.flatMap(([from, row]) =>
      Object.entries(row).flatMap(([event, targets]) =>
        [targets ?? []].flat().map((to) => ({ from: at + from, to: at + to, event })),
      ),
    ),
  }
}

function ofSession(): Omit<Definition, 'machine'> {
  const outer = ofTable(SESSION)
  const regions = { reading: SESSION_READING, delivery: SESSION_DELIVERY, service: SESSION_SERVICE }
  const inner = Object.entries(regions).map(([name, table]) => ({
    id: `connected.${name}`,
    ...ofTable(table, `connected.${name}.`),
  }))
  return {
    states: [
      ...outer.states,
      ...inner.flatMap(({ id, states }) => [
        { id, parent: 'connected', kind: 'region' as const, isInitial: false },
        ...states,
      ]),
    ],
    transitions: [...outer.transitions, ...inner.flatMap(({ transitions }) => transitions)],
  }
}

function listOf(transitions: ChartTransitions): readonly ChartTransition[] {
  if (typeof transitions === 'string') return [{ target: transitions }]
  return Array.isArray(transitions) ? transitions : [transitions as ChartTransition]
}

function ofChart<Context extends object, Input, Event extends { type: string }>({
  root,
}: Chart<Context, Input, Event>): Omit<Definition, 'machine'> {
  const states: DefinedState[] = []
  const transitions: DefinedTransition[] = []
  const visit = (state: ChartState, id: string, parent: string | undefined): void => {
    const targetOf = ({ target }: ChartTransition): string => {
      if (target === undefined) return id
      if (target.startsWith('.')) return `${id}${target}`
      return parent === undefined ? target : `${parent}.${target}`
    }
    const add = (event: string, list: ChartTransitions, isDelay: boolean): void => {
      for (const each of listOf(list)) {
        const { guard } = each
        transitions.push({
          from: id,
          to: targetOf(each),
          event,
          ...(guard === undefined ? {} : { guard }),
          ...(isDelay ? { isDelay } : {}),
        })
      }
    }
    for (const [event, list] of Object.entries(state.on ?? {})) add(event, list, false)
    for (const [delay, list] of Object.entries(state.after ?? {})) add(delay, list, true)
    for (const [name, inner] of Object.entries(state.states ?? {})) {
      const path = `${id}.${name}`
      states.push({
        id: path,
        parent: id,
        kind: inner.type === 'final' ? 'final' : 'state',
        isInitial: name === state.initial,
      })
      visit(inner, path, id)
    }
  }
  for (const [name, state] of Object.entries(root.states ?? {})) {
    states.push({
      id: name,
      parent: undefined,
      kind: state.type === 'final' ? 'final' : 'state',
      isInitial: name === root.initial,
    })
    visit(state, name, undefined)
  }
  // What the chart itself has, each state has that is not final and does not say otherwise.
  for (const [event, list] of Object.entries(root.on ?? {})) {
    for (const [name, state] of Object.entries(root.states ?? {})) {
      if (state.type === 'final' || state.on?.[event] !== undefined) continue
      for (const { target } of listOf(list)) transitions.push({ from: name, to: target?.slice(1) ?? name, event })
    }
  }
  return { states, transitions }
}

/** Every machine as it runs. */
export const DEFINITIONS: readonly Definition[] = [
  { machine: 'connection', ...ofChart(CONNECTION) },
  { machine: 'producer', ...ofChart(PRODUCER) },
  { machine: 'worker', ...ofChart(WORKER) },
  { machine: 'workerSlot', ...ofTable(WORKER_SLOT) },
  { machine: 'outboxItem', ...ofTable(OUTBOX_ITEM) },
  { machine: 'session', ...ofSession() },
  { machine: 'broker', ...ofTable(BROKER) },
  { machine: 'task', ...ofTable(LIFECYCLE) },
]

/** Changes whenever a state or a transition does. */
export function hashOf({ states, transitions }: Definition): string {
  return createHash('sha256')
    .update(JSON.stringify([states, transitions]))
    .digest('hex')
    .slice(0, 16)
}
