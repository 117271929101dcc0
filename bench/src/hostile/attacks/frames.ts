import { Bodies, type ClientMessage, DEFAULT_LIMITS, encodeFrames } from '@sluice/protocol'
import { seededRandom, wholeBetween } from '../../torture/random.ts'
import { type Attack, type Ground, inParallel, Tally } from '../attack.ts'
import { mutated } from '../mutate.ts'
import { Peer } from '../peer.ts'

const SOCKETS = 20

/** Frames as good clients send them, about the attacker's own and about those of the victim. */
function goodFrames({ victim: { ids, leases } }: Ground): Uint8Array[] {
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
        typeof frame === 'string' ? Buffer.from(frame) : frame,
      ),
    ),
  )
}

export const frames: Attack = {
  name: 'frames',
  about: 'mutated frames, text and binary',
  attempts: 1_000_000,
  async run(ground) {
    const random = seededRandom(ground.seed)
    const tally = new Tally()
    const good = goodFrames(ground)
    await inParallel(SOCKETS, SOCKETS, async (lane) => {
      let peer: Peer | undefined
      for (let i = lane; i < ground.attempts; i += SOCKETS) {
        if (!peer?.isOpen) {
          peer?.socket.terminate()
          peer = await Peer.welcomed(ground.url, ground.token)
        }
        if (peer === undefined) {
          tally.meet('not let in')
          continue
        }
        tally.attempts += 1
        const frame = mutated(good[wholeBetween(random, 0, good.length)] as Uint8Array, random)
        peer.socket.send(frame, { binary: random() < 0.5 })
        peer.say({ type: 'ping', ref: i })
        const answer = await peer.until((message) => message.type === 'pong' && message.ref === i)
        tally.meet(answer !== undefined ? 'answered' : peer.isOpen ? 'unanswered' : 'closed')
        if (answer === undefined) peer.socket.terminate()
      }
      peer?.socket.terminate()
    })
    return tally
  },
}
