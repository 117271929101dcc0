import { useMemo } from 'preact/hooks'
import { laidBeside } from './laid-beside.ts'
import { NoReturnView } from './no-return-view.tsx'
import { type Pair, pairs } from './pairs.ts'
import { SideBySide } from './side-by-side.tsx'
import { SweepView } from './sweep-view.tsx'
import './compare.css'

const VIEWS = [
  { view: 'pair', href: '#/compare', words: 'Side by side' },
  { view: 'sweep', href: '#/compare/sweep', words: 'Sweep' },
  { view: 'no-return', href: '#/compare/no-return', words: 'Point of no return' },
] as const

const HEADS = {
  pair: {
    title: 'Two policies, one world',
    text: 'Both worlds have the same seed: the same tasks arrive at the same moments. Only the policy differs.',
  },
  sweep: {
    title: 'One setting, many runs',
    text: 'Each value runs with several seeds. The line is the median, and eight runs of ten lie in the band.',
  },
  'no-return': {
    title: 'When did collapse become inevitable?',
    text: 'A system can be lost long before anybody sees it. Here each instant is asked for its futures.',
  },
} as const

/** Two runs beside each other, and what many runs say together. */
export function CompareRoom({ name }: { name: string | undefined }) {
  const view = name === 'no-return' || name === 'sweep' ? name : 'pair'
  const { title, text } = HEADS[view]
  return (
    <main class="room compare">
      <section class="intro">
        <div>
          <h1>{title}</h1>
          <p>{text}</p>
        </div>
        <nav class="views" aria-label="Ways to compare">
          {VIEWS.map(({ view: one, href, words }) => (
            <a key={one} href={href} aria-current={one === view ? 'page' : undefined}>
              {words}
            </a>
          ))}
        </nav>
      </section>
      {view === 'pair' && <PairView name={name} />}
      {view === 'sweep' && <SweepView />}
      {view === 'no-return' && <NoReturnView />}
    </main>
  )
}

/** The runs of the play room have this name. */
const OWN = 'runs'

function PairView({ name }: { name: string | undefined }) {
  const own = laidBeside.value
  const choices = useMemo(() => (own === undefined ? pairs : [own, ...pairs]), [own])
  const pair = choices.find((one) => one.name === name) ?? (name === OWN ? undefined : (pairs[0] as Pair))
  return (
    <>
      <nav class="pair-choice" aria-label="What is compared">
        {choices.map((one) => (
          <a key={one.name} href={`#/compare/${one.name}`} aria-current={one === pair ? 'true' : undefined}>
            {one.title}
          </a>
        ))}
      </nav>
      {pair === undefined ? (
        <p>
          These runs are gone with the page in which they were made. <a href="#/">Play</a>, change something, and choose
          “Compare with run 1”.
        </p>
      ) : (
        <>
          <p class="pair-text">{pair.text}</p>
          <SideBySide key={pair.name} pair={pair} />
        </>
      )}
    </>
  )
}
