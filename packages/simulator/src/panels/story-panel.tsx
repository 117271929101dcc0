import { ruleHref } from '../view/rule-link.ts'
import type { StoryStep, StoryView, Tone } from '../view/story-view.ts'
import { instantText, spanText, unbroken } from '../view/words.ts'
import './panels.css'

const SIGNS: Readonly<Record<Tone, string>> = { plain: '●', good: '✓', warn: '!', bad: '✕' }

const ENDED: Readonly<Partial<Record<StoryView['state'], string>>> = {
  succeeded: 'succeeded',
  dead: 'failed for good',
  cancelled: 'was cancelled',
}

/** Waits shorter than this go without saying. */
const WAIT_MS = 20

/** The history of one task, from its submission on, with the rule behind each step. */
export function StoryPanel({ story, onClose }: { story: StoryView; onClose?: () => void }) {
  const { task, queue, steps } = story
  return (
    <section class="panel story" aria-label={`Story of task ${task}`}>
      <div class="panel-bar">
        <h2>
          Task <span class="number">{task}</span>
        </h2>
        <span class={`state ${story.state}`}>{story.state}</span>
        {onClose && (
          <button type="button" class="panel-button" onClick={onClose}>
            Close
          </button>
        )}
      </div>
      <p class="summary">{unbroken(summaryOf(story))}</p>
      {steps.length === 0 ? (
        <p class="empty">Nothing is known of it{queue === undefined ? ' any more' : ' yet'}.</p>
      ) : (
        <ol class="steps">
          {steps.map((step, at) => (
            <Step key={`${step.atMs} ${step.text}`} step={step} before={steps[at - 1]} />
          ))}
        </ol>
      )}
    </section>
  )
}

function Step({ step, before }: { step: StoryStep; before: StoryStep | undefined }) {
  const { atMs, who, text, rule, tone, attempt } = step
  const waitedMs = before === undefined ? 0 : atMs - before.atMs
  const isNewAttempt = attempt !== undefined && attempt > 1 && attempt !== before?.attempt && text.includes('delivers')
  return (
    <li class={`event ${tone}`}>
      {waitedMs >= WAIT_MS && <p class="wait">{spanText(waitedMs)} later</p>}
      {isNewAttempt && <p class="attempt">Attempt {attempt}</p>}
      <div class="step">
        <span class="dot" aria-hidden="true">
          {SIGNS[tone]}
        </span>
        <time>{instantText(atMs)}</time>
        <span class="who">{who}</span>
        <a class="rule" href={ruleHref(rule)} target="_blank" rel="noreferrer" aria-label={`Rule ${rule}`}>
          {rule}
        </a>
        <p>{unbroken(text)}</p>
      </div>
    </li>
  )
}

function summaryOf({ queue, producer, state, attempts, runs, submittedAtMs, endedAtMs }: StoryView): string {
  const from = producer === undefined || queue === undefined ? '' : `From ${producer}, in the queue “${queue}”. `
  const tried = attempts === 0 ? 'Not delivered yet.' : `Delivered ${timesText(attempts)}, begun ${timesText(runs)}.`
  const took =
    endedAtMs === undefined || submittedAtMs === undefined
      ? ''
      : ` It ${ENDED[state] ?? 'ended'} ${spanText(endedAtMs - submittedAtMs)} after its submission.`
  return `${from}${tried}${took}`
}

function timesText(count: number): string {
  return count === 0 ? 'never' : count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`
}
