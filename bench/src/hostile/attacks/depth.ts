import { seededRandom } from '../../torture/random.ts'
import { type Attack, inParallel, portOf, Tally } from '../attack.ts'
import { frameOf, HANDSHAKE, helloFrame, OPCODE, postOf, Wire } from '../wire.ts'

const SOCKETS = 10
const GIVE_UP_MS = 30_000
/** Half of a frame, in levels that take two bytes each. */
const DEPTH_MAX = 200_000
const DEPTH_MIN = 70
const id = '01890a5d-ac96-774b-bcce-00000000dddd'

/** JSON of this many levels, of arrays or of objects. */
function deep(levels: number, isArray: boolean): string {
  const [open, close] = isArray ? ['[', ']'] : ['{"":', '}']
  return `${open.repeat(levels)}1${close.repeat(levels)}`
}

/** Where too deep JSON can stand: messages over a socket, and the bodies of requests. */
const PLACES: Record<string, (json: string, token: string) => Buffer | string> = {
  'a frame': (json) => frameOf(OPCODE.text, json),
  'a message': (json) => frameOf(OPCODE.text, `[{"type":"ping","ref":${json}}]`),
  'a field that nobody knows': (json) => frameOf(OPCODE.text, `[{"type":"ping","ref":1,"more":${json}}]`),
  'a body': (json) =>
    frameOf(OPCODE.text, `[{"type":"submit","ref":1,"queue":"attic","ids":["${id}"],"bodies":[${json}]}]`),
  progress: (json) =>
    frameOf(OPCODE.text, `[{"type":"reportProgress","updates":[{"lease":1,"progress":${json}}]},{"type":"bye"}]`),
  'a submission over HTTP': (json, token) => postOf('/v1/tasks', token, `{"queue":"attic","body":${json}}`),
  'options over HTTP': (json, token) => postOf('/v1/tasks', token, `{"queue":"attic","body":1,"options":${json}}`),
  'a redrive': (json, token) => postOf('/v1/dead/redrive', token, json),
}

export const depth: Attack = {
  name: 'depth',
  about: 'JSON that is nested too deep, in frames, bodies and requests',
  attempts: { quick: 48, full: 5000 },
  async run(ground) {
    const random = seededRandom(ground.seed)
    const tally = new Tally()
    const port = portOf(ground)
    const all = Object.entries(PLACES)
    await inParallel(ground.attempts, SOCKETS, async (index) => {
      tally.attempts += 1
      const [where, place] = all[index % all.length] as [string, (typeof PLACES)[string]]
      const isArray = random() < 0.5
      // As many are nearly shallow enough as are as deep as fits.
      const levels = Math.round(DEPTH_MIN * (DEPTH_MAX / (isArray ? 1 : 2.5) / DEPTH_MIN) ** random())
      const bytes = place(deep(levels, isArray), ground.token)
      const wire = new Wire(port)
      if (typeof bytes === 'string') wire.write(bytes)
      else {
        wire.write(Buffer.concat([Buffer.from(HANDSHAKE), helloFrame(ground.token)]))
        await wire.until(() => wire.texts.length > 0, GIVE_UP_MS)
        wire.texts.length = 0
        wire.write(bytes)
      }
      await wire.until(
        () =>
          wire.texts.length > 0 || wire.closeCode !== undefined || (wire.status !== 101 && wire.status !== undefined),
        GIVE_UP_MS,
      )
      const said = wire.texts.join()
      if (/too_deep|bad_message|bad_frame|too_large/.test(said)) tally.meet('refused')
      else if (/^(400|403|413|closed (4000|1000|1009))$/.test(wire.how)) tally.meet(wire.how)
      else tally.breach(`${levels} levels in ${where} were answered ${wire.how} ${said.slice(0, 100)}`)
      wire.end()
    })
    return tally
  },
}
