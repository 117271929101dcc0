import type { OutboxSnapshot } from '@sluice/client-browser'
import { summaryOf } from './item-words.ts'
import { network, useIsCut, useIsOnline } from './network-switch.ts'

type Tone = 'good' | 'waiting' | 'bad'

interface ConnectionWords {
  tone: Tone
  words: string
  /** Which tab sends. */
  sender: string
}

function connectionWords({ status }: OutboxSnapshot, isCut: boolean, isOnline: boolean): ConnectionWords {
  const { connection, role, auth } = status
  const sender = role === 'waiting' ? 'Another tab sends' : role === 'leading' ? 'This tab sends' : 'Nothing is sent'
  if (isCut) return { tone: 'bad', words: 'Network cut', sender: 'Nothing is sent' }
  if (!isOnline) return { tone: 'bad', words: 'Offline', sender: 'Nothing is sent' }
  if (auth === 'needed') return { tone: 'bad', words: 'Needs sign-in', sender: 'Nothing is sent' }
  if (role === 'waiting') return { tone: 'good', words: 'Online', sender }
  if (connection === 'ready') return { tone: 'good', words: 'Connected', sender }
  if (connection === 'backingOff') return { tone: 'waiting', words: 'Looking for the broker', sender }
  return { tone: 'waiting', words: 'Connecting', sender }
}

export function StatusBar({ outbox }: { outbox: OutboxSnapshot }) {
  const isCut = useIsCut()
  const isOnline = useIsOnline()
  const { tone, words, sender } = connectionWords(outbox, isCut, isOnline)
  const { here, sent, done, wrong } = summaryOf(outbox)
  return (
    <section className="status" aria-label="State of this device">
      <div className="connection" data-tone={tone}>
        <span className="dot" aria-hidden="true" />
        <p role="status">
          <strong>{words}</strong>
          <span className="muted">{sender}</span>
        </p>
      </div>
      <dl className="counts">
        <Count name="Saved here" value={here} about="on this device, and not yet accepted by the broker" />
        <Count name="Sent" value={sent} about="accepted, not yet done" />
        <Count name="Done" value={done} about="thumbnails that came back" />
        <Count name="Need you" value={wrong} about="refused or failed" isBad={wrong > 0} />
      </dl>
      <label className="switch" title="Breaks this app's connections to the broker. Other pages stay online.">
        <input
          type="checkbox"
          role="switch"
          aria-checked={isCut}
          checked={isCut}
          onChange={(event) => network.set(event.target.checked)}
        />
        <span className="track" aria-hidden="true" />
        <span>
          Cut the network
          <small>for this app only</small>
        </span>
      </label>
    </section>
  )
}

function Count({ name, value, about, isBad }: { name: string; value: number; about: string; isBad?: boolean }) {
  return (
    <div title={about} {...(isBad ? { 'data-tone': 'bad' } : {})}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}
