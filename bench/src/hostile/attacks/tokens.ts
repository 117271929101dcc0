import { type Attack, inParallel, Tally } from '../attack.ts'
import { Peer } from '../peer.ts'

const SOCKETS = 10

export const tokens: Attack = {
  name: 'tokens',
  about: 'tokens that are forged, expired, altered, or signed with nothing',
  attempts: { quick: 200, full: 10_000 },
  async run({ url, httpUrl, badTokens, attempts }) {
    const tally = new Tally()
    const all = Object.entries(badTokens)
    await inParallel(attempts, SOCKETS, async (index) => {
      tally.attempts += 1
      const [what, token] = all[index % all.length] as [string, string]
      if (index % 2 === 0) {
        const peer = await Peer.welcomed(url, token)
        if (peer === undefined) tally.meet('refused over a socket')
        else tally.breach(`a socket was welcomed with a token that is ${what}`)
        peer?.socket.terminate()
        return
      }
      const response = await fetch(`${httpUrl}/v1/queues`, { headers: { authorization: `Bearer ${token}` } })
      await response.body?.cancel()
      if (response.status === 401) tally.meet('refused over HTTP')
      else tally.breach(`HTTP answered ${response.status} to a token that is ${what}`)
    })
    return tally
  },
}
