import { isUtf8 } from 'node:buffer'
import { Bodies, type ClientMessage, DEFAULT_LIMITS, decodeClientFrame, encodeFrames } from '@sluice/protocol'
import { seededRandom, wholeBetween } from '../../torture/random.ts'
import { sleep } from '../../wait.ts'
import { type Attack, type Ground, inParallel, portOf, Tally } from '../attack.ts'
import { altered, mutated } from '../mutate.ts'
import { frameOf, HANDSHAKE, helloFrame, OPCODE, Wire } from '../wire.ts'

const LANES = 8
/** Fewer than a connection may say while its token is checked, with the ping. */
const BATCH = 13
const GIVE_UP_MS = 30_000
const BUSY = 4008
const BUSY_MS = 100

/** `json` where it is text. */
interface Good {
  bytes: Uint8Array
  json: unknown
}

/** Frames as good clients send them, about the attacker's own and about those of the victim. */
function goodFrames({ victim: { ids, leases } }: Ground): Good[] {
  const one = ids.slice(0, 2)
  const messages: ClientMessage[] = [
    { type: 'submit', ref: 1, queue: 'attic', ids: one, bodies: Bodies.ofTexts(['1', '{"a":[1,2]}']) },
    { type: 'credit', credit: 3, queues: ['attic'] },
    { type: 'heartbeat', ref: 2, leases: [...leases] },
    { type: 'complete', ref: 3, leases: leases.slice(0, 1), bodies: Bodies.ofTexts(['"x"']) },
    { type: 'fail', ref: 4, failures: [{ lease: leases[0] ?? 1, error: { message: 'no', stack: 'at' } }] },
    { type: 'reportProgress', updates: [{ lease: leases[0] ?? 1, progress: { done: 1 } }] },
    { type: 'cancel', ref: 5, ids: [...one] },
    { type: 'watch', ref: 6, ids: [...one] },
    { type: 'query', ref: 7, ids: [...one] },
    { type: 'ping', ref: 8 },
  ]
  return (['binary', 'text'] as const).flatMap((kind) =>
    messages.flatMap((message) =>
      encodeFrames([message], kind, DEFAULT_LIMITS).map((frame) =>
        typeof frame === 'string'
          ? { bytes: Buffer.from(frame), json: JSON.parse(frame) as unknown }
          : { bytes: frame, json: undefined },
      ),
    ),
  )
}

/** Bytes that are changed anywhere, or JSON of which a value is. A tenth goes out as what it is not. */
function mutant(
  { bytes, json }: Good,
  random: () => number,
  texts: readonly string[],
): { bytes: Uint8Array; isBinary: boolean } {
  const isOfItsKind = random() >= 0.1
  const isBinary = isOfItsKind === (json === undefined)
  if (json === undefined || random() < 0.3) return { bytes: mutated(bytes, random), isBinary }
  return { bytes: Buffer.from(JSON.stringify(altered(json, random, texts))), isBinary }
}

/** Whether the decoder takes it and the connection goes on, so that more can be said behind it. */
function goesOn(bytes: Uint8Array, isBinary: boolean): boolean {
  if (!isBinary && !isUtf8(bytes)) return false
  const decoded = decodeClientFrame(isBinary ? new Uint8Array(bytes) : Buffer.from(bytes).toString(), DEFAULT_LIMITS)
  return decoded.ok && decoded.messages.every(({ type }) => type !== 'bye')
}

const FENCE_REF = 2 ** 40
const FENCE = frameOf(OPCODE.text, `[{"type":"ping","ref":${FENCE_REF}}]`)
const isAnswered = ({ texts }: Wire): boolean => texts.some((text) => text.includes(`"ref":${FENCE_REF}`))

/**
 * Each connection gets a batch of mutants that it survives, and behind them one that ends it. Most mutants end their
 * connection: without that order, nearly all of the time would go into handshakes, and little would reach the engine.
 */
export const frames: Attack = {
  name: 'frames',
  about: `mutated frames, text and binary: ${BATCH - 1} that can be read, then one that cannot`,
  attempts: { quick: 1000, full: 1_000_000 },
  async run(ground) {
    const random = seededRandom(ground.seed)
    const tally = new Tally()
    const port = portOf(ground)
    const good = goodFrames(ground)
    const texts = ['attic', 'victim', ...ground.victim.ids]
    const begin = [Buffer.from(HANDSHAKE), helloFrame(ground.token)]
    const next = (isFatal: boolean): Buffer => {
      for (;;) {
        const { bytes, isBinary } = mutant(good[wholeBetween(random, 0, good.length)] as Good, random, texts)
        if (goesOn(bytes, isBinary) !== isFatal) return frameOf(isBinary ? OPCODE.binary : OPCODE.text, bytes)
      }
    }
    await inParallel(Math.ceil(ground.attempts / BATCH), LANES, async () => {
      const survived = Array.from({ length: BATCH - 1 }, () => next(false))
      const wire = await welcomedOver(port, Buffer.concat([...begin, ...survived, FENCE]))
      if (isAnswered(wire)) tally.meet('survived', survived.length)
      else tally.breach(`frames that can be read ended their connection: ${wire.how}`)
      wire.write(next(true))
      await wire.until(() => wire.closeCode !== undefined, GIVE_UP_MS)
      if (wire.how === 'open') tally.breach('a connection goes on after a frame that nobody can read')
      tally.meet(wire.how)
      tally.attempts += BATCH
      wire.end()
    })
    return tally
  },
}

/** Says this over a new connection, until it is answered or closed. Waits while the broker has no room for one. */
async function welcomedOver(port: number, bytes: Buffer): Promise<Wire> {
  for (;;) {
    const wire = new Wire(port, bytes)
    await wire.until(() => isAnswered(wire) || wire.closeCode !== undefined, GIVE_UP_MS)
    if (wire.closeCode !== BUSY) return wire
    wire.end()
    await sleep(BUSY_MS)
  }
}
