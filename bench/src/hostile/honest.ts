import { Bodies } from '@sluice/protocol'
import { sleep } from '../wait.ts'
import { Peer } from './peer.ts'

const TASKS = 10
const LEASED = 5
const ASK_EVERY_MS = 10

/** A principal with tasks and leases of its own, which looks after them while others attack. */
export class Honest {
  readonly ids: readonly string[]
  readonly leases: readonly number[]
  readonly session: string
  readonly #peer: Peer
  #ref = 1000

  private constructor(peer: Peer, session: string, ids: readonly string[], leases: readonly number[]) {
    this.#peer = peer
    this.session = session
    this.ids = ids
    this.leases = leases
  }

  static async begin(url: string, token: string): Promise<Honest> {
    const peer = await Peer.welcomed(url, token)
    const welcome = peer?.welcome
    if (peer === undefined || welcome === undefined) throw new Error('the honest client was not let in')
    const ids = Array.from({ length: TASKS }, (_, n) => `01890a5d-ac96-774b-bcce-${n.toString(16).padStart(12, '0')}`)
    const bodies = Bodies.ofTexts(ids.map(() => '"mine"'))
    peer.say(
      { type: 'submit', ref: 1, queue: 'victim', options: { leaseMs: 86_400_000 }, watch: false, ids, bodies },
      { type: 'credit', credit: LEASED, queues: ['victim'] },
    )
    const leases: number[] = []
    while (leases.length < LEASED) {
      const delivered = await peer.until((message) => message.type === 'deliver')
      if (delivered?.type !== 'deliver') throw new Error('the honest client got no work')
      leases.push(...delivered.leases)
    }
    return new Honest(peer, welcome.session, ids, leases)
  }

  /** What its tasks are in, as text to compare. */
  async tasks(): Promise<string> {
    this.#ref += 1
    const ref = this.#ref
    this.#peer.say({ type: 'query', ref, ids: [...this.ids] })
    const answer = await this.#peer.until((message) => message.type === 'status' && message.ref === ref)
    if (answer?.type !== 'status') throw new Error('the honest client got no answer')
    return JSON.stringify(answer.tasks.map(({ id, state, queue }) => [id, state, queue]))
  }

  /** Submits one task more, and waits until it is on disk. */
  async #submit(): Promise<void> {
    this.#ref += 1
    const ref = this.#ref
    const id = `01890a5d-ac96-774b-bccf-${ref.toString(16).padStart(12, '0')}`
    const bodies = Bodies.ofTexts(['"more"'])
    this.#peer.say({ type: 'submit', ref, queue: 'victim', watch: false, ids: [id], bodies })
    const answer = await this.#peer.until((message) => message.type === 'submitted' && message.ref === ref)
    if (answer?.type !== 'submitted')
      throw new Error(`the honest client got no answer (${this.#peer.closeCode ?? 'open'})`)
    if (answer.refused.length > 0) throw new Error(`the honest client was refused: ${JSON.stringify(answer.refused)}`)
  }

  /** What single submissions take until `end`, in ms each. */
  async waits(end: Promise<unknown>): Promise<number[]> {
    const samples: number[] = []
    let isOver = false
    void end.then(
      () => (isOver = true),
      () => (isOver = true),
    )
    while (!isOver) {
      const before = performance.now()
      await this.#submit()
      samples.push(performance.now() - before)
      await sleep(ASK_EVERY_MS)
    }
    return samples
  }

  end(): void {
    this.#peer.socket.terminate()
  }
}
