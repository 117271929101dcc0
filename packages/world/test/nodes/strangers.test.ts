import { DEFAULT_LIMITS } from '@sluice/protocol'
import { expect, test } from 'vitest'
import { checkers } from '../../src/checkers/index.ts'
import { defaultScenario, type Misdeed, runWorld, type Scenario } from '../../src/index.ts'

/** What strangers are told, error codes and close codes, in a shop that is open as ever. */
async function toldTo(misdeed: Misdeed, over: Partial<Scenario> = {}): Promise<Set<string | number>> {
  const scenario: Scenario = {
    ...defaultScenario,
    durationMs: 20_000,
    strangers: [{ count: 2, everyMs: 300, misdeeds: [misdeed] }],
    ...over,
  }
  const told = new Set<string | number>()
  const { violations, tasks } = await runWorld(scenario, 1, {
    checkers: checkers(scenario),
    onObservation: (seen) => {
      if (!('node' in seen) || !seen.node.startsWith('stranger-')) return
      if (seen.type === 'disconnected' && seen.side === 'node') told.add(seen.code)
      else if (seen.type === 'sentByBroker') {
        const { message } = seen
        if (message.type === 'error') told.add(message.code)
        else if (message.type === 'cancelled' || message.type === 'settled' || message.type === 'submitted')
          for (const { error } of message.refused) told.add(error.code)
        else told.add(message.type)
      }
    },
  })
  expect(violations).toEqual([])
  expect(tasks.succeeded + tasks.dead).toBe(tasks.submitted)
  expect(tasks.submitted).toBeGreaterThan(10)
  return told
}

const small = { limits: { ...DEFAULT_LIMITS, frameBytesMax: 16_384, bodyBytesMax: 4096, batchItemsMax: 20 } }

test.each<[Misdeed, readonly (string | number)[], Partial<Scenario>?]>([
  ['speaksOtherVersions', ['unsupported_version', 4002]],
  ['forgetsHello', ['hello_expected', 4000]],
  ['repeatsHello', ['welcome', 'bad_message', 1000]],
  ['saysNonsense', ['welcome', 'bad_frame', 'bad_message', 4000]],
  ['actsAsWorker', ['welcome', 'not_permitted', 1000]],
  ['passesLimits', ['welcome', 'too_large', 1009], { hosting: small }],
  ['opensSessions', ['welcome', 'busy', 4008, 1000], { engine: { sessionsMax: 12 } }],
  ['namesQueues', ['welcome', 'busy', 1000], { engine: { queuesMax: 4 } }],
  ['repeatsIds', ['welcome', 'id_conflict', 1000]],
  ['asksForAnything', ['welcome', 'status', 'watched', 'unknown_task', 'lease_lost', 1000]],
])('a stranger that %s is told so, and nobody else notices', async (misdeed, told, over) => {
  const heard = await toldTo(misdeed, over)
  expect([...heard]).toEqual(expect.arrayContaining([...told]))
})
