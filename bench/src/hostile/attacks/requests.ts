import { connect } from 'node:net'
import { seededRandom, wholeBetween } from '../../torture/random.ts'
import { type Attack, type Ground, inParallel, Tally } from '../attack.ts'
import { mutated } from '../mutate.ts'

const SOCKETS = 20
/** What is not answered is given up after this, in ms. */
const GIVE_UP_MS = 200

function goodRequests({ token, victim, httpUrl }: Ground): string[] {
  const host = new URL(httpUrl).host
  const head = (line: string, ...headers: string[]) =>
    [`${line} HTTP/1.1`, `Host: ${host}`, 'Connection: close', ...headers, '', ''].join('\r\n')
  const bearer = `Authorization: Bearer ${token}`
  const json = (path: string, body: string) =>
    head(`POST ${path}`, bearer, 'Content-Type: application/json', `Content-Length: ${body.length}`) + body
  const upgrade = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Protocol: sluice.v1']
  return [
    head('GET /', ...upgrade, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==').replace(
      'Connection: close',
      'Connection: Upgrade',
    ),
    head('GET /v1/queues', bearer),
    head(`GET /v1/tasks/${victim.ids[0]}?waitMs=0`, bearer),
    head(`DELETE /v1/tasks/${victim.ids[0]}`, bearer),
    json('/v1/tasks', '{"queue":"attic","tasks":[{"body":1},{"base64":"AAAA"}],"options":{"priority":9}}'),
    json('/v1/dead/redrive', '{"queue":"victim"}'),
    json('/v1/revocations', '{"principal":"honest"}'),
    head('POST /v1/tasks', bearer, 'Content-Type: application/json', 'Transfer-Encoding: chunked') +
      '2\r\n{}\r\n0\r\n\r\n',
  ]
}

/** The status line that is answered, or how it ended without one. */
function answerTo(port: number, request: Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    let heard = ''
    const socket = connect(port, '127.0.0.1', () => socket.end(request))
    const done = (how: string): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(how)
    }
    const timer = setTimeout(() => done('no answer'), GIVE_UP_MS)
    socket.on('data', (data) => {
      heard += data.toString('latin1')
      const status = /^HTTP\/1\.1 (\d{3})/.exec(heard)?.[1]
      if (status !== undefined) done(status)
    })
    socket.on('error', () => done('cut'))
    socket.on('end', () => done('cut'))
  })
}

export const requests: Attack = {
  name: 'requests',
  about: 'mutated handshakes and HTTP requests',
  attempts: { quick: 200, full: 100_000 },
  async run(ground) {
    const random = seededRandom(ground.seed)
    const tally = new Tally()
    const port = Number(new URL(ground.httpUrl).port)
    const good = goodRequests(ground).map((text) => Buffer.from(text, 'latin1'))
    await inParallel(ground.attempts, SOCKETS, async () => {
      tally.attempts += 1
      const answer = await answerTo(port, mutated(good[wholeBetween(random, 0, good.length)] as Uint8Array, random))
      tally.meet(answer)
      if (answer === '500') tally.breach('a request was answered 500, which means that something failed')
    })
    return tally
  },
}
