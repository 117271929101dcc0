import { type Attack, inParallel, portOf, Tally } from '../attack.ts'
import { frameOf, HANDSHAKE, helloFrame, OPCODE, Wire } from '../wire.ts'

const SOCKETS = 10
const GIVE_UP_MS = 30_000
const { continuation, text, ping } = OPCODE
const part = (bytes: string | Buffer, isLast = false) => frameOf(continuation, bytes, { isLast })
const first = (bytes: string | Buffer) => frameOf(text, bytes, { isLast: false })
const many = (count: number, frame: Buffer): Buffer[] => Array<Buffer>(count).fill(frame)

/** Messages in fragments that no client sends, by what is wrong with them. */
const BAD: Record<string, readonly Buffer[]> = {
  'more fragments than fit': [first('['), ...many(70, part(' '))],
  'empty fragments': [first(''), ...many(5000, part(''))],
  'empty first fragments': many(1000, first('')),
  'a rest without its beginning': [part('[]', true)],
  'a message within a message': [first('['), first('[')],
  'a ping in fragments': [frameOf(ping, '', { isLast: false })],
  'fragments that are too large together': [first('['), ...many(40, part(Buffer.alloc(65_536, ' ')))],
}

export const fragments: Attack = {
  name: 'fragments',
  about: 'messages in too many, empty, misplaced and oversized fragments',
  attempts: { quick: 40, full: 4000 },
  async run(ground) {
    const tally = new Tally()
    const port = portOf(ground)
    const all = Object.entries(BAD)
    await inParallel(ground.attempts, SOCKETS, async (index) => {
      tally.attempts += 1
      const wire = new Wire(port, Buffer.concat([Buffer.from(HANDSHAKE), helloFrame(ground.token)]))
      if (!(await wire.until(() => wire.texts.length > 0, GIVE_UP_MS))) tally.breach(`not let in: ${wire.how}`)
      // What is within the limits is a message like any other, with a ping in between.
      const good = [first('[{"type":'), frameOf(ping, ''), part('"ping",'), part('"ref":7}]', true)]
      wire.write(Buffer.concat(good))
      if (await wire.until(() => wire.texts.some((heard) => heard.includes('pong')), GIVE_UP_MS)) tally.meet('answered')
      else tally.breach(`a message in three fragments was not answered: ${wire.how}`)
      const [what, frames] = all[index % all.length] as [string, readonly Buffer[]]
      wire.write(Buffer.concat(frames))
      const how = await wire.ended(GIVE_UP_MS)
      if (how === 'open') tally.breach(`a connection goes on after ${what}`)
      else tally.meet(how)
      wire.end()
    })
    return tally
  },
}
