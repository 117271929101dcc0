import { Bodies, type Complete } from '@sluice/protocol'
import { expect, test } from 'vitest'
import { swarm } from '../src/fuzz/swarm.ts'
import type { Observation } from '../src/observation.ts'
import { parseTrace, traceHeader, traceLine } from '../src/trace.ts'

const observations: Observation[] = [
  { type: 'nodeStarted', atMs: 0, node: 'broker', incarnation: 1 },
  {
    type: 'sentToBroker',
    atMs: 1.5,
    node: 'worker-1',
    connection: 3,
    message: { type: 'complete', ref: 4, leases: [5], bodies: Bodies.ofPieces([Uint8Array.of(0, 127, 128, 255)], [4]) },
  },
]

test('a trace reads back as it was written, bytes included', () => {
  const scenario = swarm(3)
  const text = [traceHeader({ seed: 3, scenario }), ...observations.map(traceLine), ''].join('\n')
  const trace = parseTrace(text)
  expect(trace).toMatchObject({ version: 1, seed: 3, scenario })
  expect(trace.observations[0]).toEqual(observations[0])
  expect(trace.observations[1]).toMatchObject({
    atMs: 1.5,
    node: 'worker-1',
    message: { type: 'complete', leases: [5] },
  })
  const { message } = trace.observations[1] as Extract<Observation, { type: 'sentToBroker' }>
  expect((message as Complete).bodies.at(0)).toEqual(Uint8Array.of(0, 127, 128, 255))
})

test('what is no trace is refused with the line', () => {
  expect(() => parseTrace('')).toThrow('line 1 of the trace: not the header of a trace')
  expect(() => parseTrace('{"seed":1}')).toThrow('line 1 of the trace: not the header of a trace')
  expect(() => parseTrace('{"format":"sluice-trace","version":9}')).toThrow('version 9, where 1 is understood')
  const cut = `${traceHeader({ seed: 3, scenario: swarm(3) })}\n{"type":"nodeSt`
  expect(() => parseTrace(cut)).toThrow('line 2 of the trace')
})
