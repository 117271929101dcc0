import type { ItemView } from '@sluice/client/outbox'
import { useOutboxClient } from '@sluice/client-browser/react'
import { memo, useState } from 'react'
import { download } from './download.ts'
import { labelOf, progressOf, sizeWords, stateSentence, stateWords } from './item-words.ts'
import { type Picture, usePicture } from './use-picture.ts'

interface PhotoCardProps {
  item: ItemView
  /** The card, and with it the focus, is about to go. */
  onGone: () => void
}

/** Its height is the same in every state, so that nothing on the page jumps. */
export const PhotoCard = memo(function PhotoCard({ item, onGone }: PhotoCardProps) {
  const picture = usePicture(item)
  const { name, bytes } = labelOf(item)
  const sentence = stateSentence(item)
  const share = item.state === 'running' ? (progressOf(item)?.share ?? 0) : undefined
  return (
    <li className="card" data-state={item.state} data-id={item.id}>
      <figure>
        {picture === undefined ? (
          <span className="no-picture" aria-hidden="true" />
        ) : (
          <img src={picture.url} alt="" data-kind={picture.kind} />
        )}
        {sentence !== undefined && <p className="sentence">{sentence}</p>}
        <span className="size">
          {sizeWords(bytes)}
          {picture?.kind === 'thumbnail' && ` → ${sizeWords(picture.blob.size)}`}
        </span>
        <progress
          className="progress"
          max={1}
          {...(share === undefined ? { hidden: true, value: 0 } : { value: share })}
          aria-label={`Progress of ${name}`}
        />
      </figure>
      <div className="card-words">
        <p className="name" title={name}>
          {name}
        </p>
        <p className="state">
          <span className="dot" aria-hidden="true" />
          <span className="state-words">{stateWords(item)}</span>
        </p>
      </div>
      <Actions item={item} name={name} picture={picture} onGone={onGone} />
    </li>
  )
})

interface ActionsProps extends PhotoCardProps {
  name: string
  picture: Picture | undefined
}

function Actions({ item: { id, state }, name, picture, onGone }: ActionsProps) {
  const client = useOutboxClient()
  const [problem, setProblem] = useState<string>()
  const run = (act: () => Promise<void>) => () => {
    setProblem(undefined)
    act().catch((error: unknown) => setProblem(error instanceof Error ? error.message : String(error)))
  }
  const discard = run(async () => {
    onGone()
    await client.discard(id)
  })
  const exportInput = run(async () => {
    const { input, item } = await client.export(id)
    download(name, new Blob([input as Uint8Array<ArrayBuffer>], { type: labelOf(item).type }))
  })
  const thumbnail = picture?.kind === 'thumbnail' ? picture.blob : undefined
  const button = (words: string, act: () => void, isDisabled = false) => (
    <button type="button" className="action" aria-label={`${words} ${name}`} disabled={isDisabled} onClick={act}>
      {words}
    </button>
  )
  return (
    <div className="actions" title={problem} data-problem={problem !== undefined}>
      {state === 'done' && (
        <>
          {button(
            'Download',
            () => thumbnail && download(`${name.replace(/\.\w+$/, '')}-small.webp`, thumbnail),
            thumbnail === undefined,
          )}
          {button('Remove', discard)}
        </>
      )}
      {(state === 'failed' || state === 'cancelled') && button('Remove', discard)}
      {state === 'parked' && (
        <>
          {button(
            'Retry',
            run(() => client.retry(id)),
          )}
          {button('Export', exportInput)}
          {button('Discard', discard)}
        </>
      )}
      {WAITING.has(state) &&
        button(
          'Cancel',
          run(() => client.handle(id).cancel()),
          state === 'cancelling',
        )}
    </div>
  )
}

const WAITING = new Set(['unsaved', 'saved', 'sending', 'needsAuth', 'accepted', 'running', 'cancelling'])
