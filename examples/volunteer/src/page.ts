import { createBrowserClient } from '@sluice/client-browser'
import { uuidv7Source } from '@sluice/protocol/uuidv7'
import type { PauseReason, TabWorkerSnapshot } from '@sluice/worker-browser'
import '@sluice/worker-browser/element'
import { brokerToken, brokerUrl } from './broker-access.ts'
import { lendTab } from './lent-tab.ts'
import { type Picture, tileCount } from './picture.ts'
import { PictureOutbox, type TileState } from './picture-outbox.ts'
import { PLACES, placeOf } from './places.ts'
import { authorOf } from './png.ts'
import { Rail } from './rail.ts'
import { Stage } from './stage.ts'
import { colourOf, tabName } from './tab-name.ts'
import { TileCount } from './tally.ts'
import type { TileReport } from './tile-worker.ts'

const parameters = new URLSearchParams(location.search)
/** A small picture is for tests and for slow machines. */
const GRID = { columns: whole('columns', 16), rows: whole('rows', 10), tilePx: whole('tile', 128) }
/** A connection that comes within this time is no news, in ms. */
const AWAY_AFTER_MS = 1500

const url = brokerUrl()
const name = tabName()
const element = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E

const stage = new Stage(element('canvas'), element('tiles'))
const rail = new Rail({ places: PLACES, name, onPick: () => render(), onMark: (by) => stage.mark(by) })

const EMPTY = new TileCount(0, () => 0).tally

/** The picture on the stage. `follows`: this browser's outbox has its tiles. Otherwise only what this tab renders shows. */
let shown: { picture: Picture; follows: boolean; count: TileCount } | undefined

const client = createBrowserClient({
  url,
  ...brokerToken(),
  owner: 'volunteer',
  name: `${name}, submits`,
  outbox: { name: 'volunteer' },
  // Two pictures: the newest one, and the one before it.
  keepEnded: tileCount({ ...GRID, run: '', place: '' }) * 2,
  viewItems: tileCount({ ...GRID, run: '', place: '' }) * 3,
})

const nextRun = uuidv7Source({
  epochMs: () => Date.now(),
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
})
const outbox = new PictureOutbox(client, nextRun, {
  onPicture: (picture) => begin(picture, true),
  onTile: (tile, state) => show(tile, state),
  onPixels: (picture, tile, png, isNew) => draw(picture, tile, png, isNew),
})
const worker = lendTab(url, name, reported)

function begin(picture: Picture, follows: boolean): void {
  shown = { picture, follows, count: new TileCount(tileCount(picture), () => performance.now()) }
  stage.begin(picture)
  rail.pick(picture.place)
  render()
}

function show(tile: number, state: TileState): void {
  if (shown === undefined) return
  shown.count.set(tile, state)
  stage.show(tile, state)
  renderSoon()
}

async function draw(picture: Picture, tile: number, png: Uint8Array, isNew: boolean): Promise<void> {
  await stage.draw(picture, tile, png)
  if (isNew && shown?.picture.run === picture.run) shown.count.rendered()
}

/** A tile of this tab. The outbox tells of it too, unless another browser has submitted it. */
async function reported(report: TileReport): Promise<void> {
  const { tile, ...picture } = report.tile
  if (picture.run === outbox.picture?.run) return
  if (shown?.picture.run !== picture.run) begin(picture, false)
  if (report.kind === 'begun') {
    show(tile, { state: 'running', by: name, done: 0 })
    return
  }
  await draw(picture, tile, report.png, true)
  if (shown?.picture.run === picture.run && !shown.follows)
    show(tile, { state: 'done', by: authorOf(report.png) ?? name })
}

// ─── what the person does ──────────────────────────────────────────────────────────────────────────────────────────

let isDeclined = false

element('agree').addEventListener('click', () => {
  worker.agree()
  element('hint-action').focus()
})
element('decline').addEventListener('click', () => {
  isDeclined = true
  render()
  element('hint-action').focus()
})
element('places').addEventListener('submit', (event) => {
  event.preventDefault()
  void start()
})
element('hint-action').addEventListener('click', () => void start())
element('follow').addEventListener('click', () => void (shown && outbox.follow(shown.picture)))
element('whose').addEventListener('click', () => {
  const isOn = element('frame').toggleAttribute('data-whose')
  element('whose').setAttribute('aria-pressed', String(isOn))
})
element('save').addEventListener('click', async () => {
  const blob = await stage.blob
  if (blob === null || shown === undefined) return
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = `${shown.picture.place}.png`
  link.click()
  URL.revokeObjectURL(link.href)
})

async function start(): Promise<void> {
  try {
    await outbox.start({ ...GRID, place: rail.picked })
    notice = undefined
  } catch (error) {
    notice = `The picture cannot be submitted: ${error instanceof Error ? error.message : String(error)}`
  }
  render()
}

// ─── what the person sees ──────────────────────────────────────────────────────────────────────────────────────────

let notice: string | undefined
let isAway = false
let awayTimer: number | undefined
let isDue = false

const panel = document.querySelector('sluice-tab-worker')!
panel.worker = worker
panel.style.setProperty('--mine', colourOf(name))
panel.words = {
  heading: name,
  question:
    'This tab only watches. If you agree, it renders tiles: on one processor core at most, and until you stop it.',
  agree: 'Lend this tab',
  start: 'Start again',
  stop: 'Stop now',
  share: (percent) => `At most ${percent} % of one core`,
  state: workerText,
  done: (tiles) => (tiles === 1 ? '1 tile' : `${tiles} tiles`),
}

worker.subscribe(render)
client.onStatus(render)
worker.start()
stage.begin({ ...GRID, place: PLACES[0]!.id })
render()
// The rate of the last minute changes by itself.
setInterval(render, 1000)

/** A hidden page shows no frames, and needs none. */
function renderSoon(): void {
  if (isDue) return
  isDue = true
  requestAnimationFrame(() => {
    isDue = false
    render()
  })
}

function render(): void {
  const snapshot = worker.getSnapshot()
  const isAsking = snapshot.state === 'asking'
  const rests = snapshot.state !== 'working' && snapshot.state !== 'connecting' && snapshot.stats.running === 0
  if (rests) forgetOwn()
  watchConnection()

  const isConsentOpen = isAsking && !isDeclined
  element('consent').hidden = !isConsentOpen
  panel.hidden = isConsentOpen

  const place = placeOf(rail.picked)
  const tally = shown?.count.tally ?? EMPTY
  rail.show(tally)
  const isOpen = shown?.follows === true && tally.waiting + tally.running > 0
  const isSame = shown?.follows === true && shown.picture.place === rail.picked
  const action = element<HTMLButtonElement>('render')
  action.disabled = isOpen && isSame
  text(action, isSame ? (isOpen ? 'Rendering' : 'Render it again') : `Render ${place?.name ?? ''}`)

  element('hint').hidden = shown !== undefined || isConsentOpen
  text(element('hint-text'), 'Nothing is rendered yet. Anyone who opens this page can help.')
  text(element('hint-action'), `Render ${place?.name ?? ''}`)

  const isComplete = shown?.count.isDrawn === true
  element<HTMLButtonElement>('save').disabled = !isComplete
  element<HTMLButtonElement>('whose').disabled = tally.done === 0
  element('follow').hidden = shown === undefined || shown.follows
  if (shown !== undefined) stage.describe(shown.picture, tally.done)
  text(element('status'), statusText())
  text(element('phase'), phaseText())

  const badge = element('badge')
  const said = badgeText()
  badge.hidden = said === undefined
  if (said !== undefined) text(badge, said)

  const link = element('link')
  link.toggleAttribute('data-away', isAway)
  const { connection, role } = client.status
  const isConnected = (role === 'leading' && connection === 'ready') || snapshot.state === 'working'
  text(
    link,
    isAway ? 'No broker' : isConnected ? 'Connected' : role === 'leading' ? 'Connecting' : 'Connected by another tab',
  )
}

const WHY: Readonly<Record<PauseReason, string>> = {
  owner: 'you paused it',
  hours: 'it is not the time',
  battery: 'the device runs on its battery',
  pressure: 'the device is busy',
  frozen: 'the tab sleeps',
  away: 'the page is in the background',
}

function statusText(): string {
  if (notice !== undefined) return notice
  if (shown === undefined) return 'No picture yet'
  const { done, total, failed, running, waiting, perMinute, tabs } = shown.count.tally
  const placeName = placeOf(shown.picture.place)?.name ?? ''
  if (!shown.follows) return `${placeName}, for another browser: this tab has rendered ${done} of ${total} tiles`
  if (done === total)
    return `${placeName}, complete: ${total} tiles by ${tabs.length === 1 ? '1 tab' : `${tabs.length} tabs`}`
  if (waiting + running === 0) return `${placeName}: ${failed} of ${total} tiles failed`
  const isIdle = running === 0 && !perMinute
  return `${placeName}: ${done} of ${total} tiles${isIdle ? ', waiting for a tab that helps' : ''}`
}

/** For screen readers, which should not hear every tile. */
function phaseText(): string {
  if (shown === undefined) return ''
  const { done, total } = shown.count.tally
  const placeName = placeOf(shown.picture.place)?.name ?? ''
  return done === total ? `${placeName} is complete` : `${placeName} is being rendered`
}

/** What the tab does, without a word for each tile. */
function workerText(snapshot: TabWorkerSnapshot): string {
  switch (snapshot.state) {
    case 'asking':
      return 'It only watches'
    case 'connecting':
      return snapshot.trouble === undefined ? 'Starting' : 'Waiting for the broker'
    case 'working':
      return 'It helps'
    case 'paused':
      return snapshot.pausedBy.includes('owner')
        ? 'Paused'
        : `Paused: ${snapshot.pausedBy.map((why) => WHY[why]).join(', ')}`
    case 'failed':
      return `It cannot help: ${snapshot.failure.message}`
    default:
      return 'Stopped'
  }
}

function badgeText(): string | undefined {
  const snapshot = worker.getSnapshot()
  if (isAway)
    return snapshot.stats.running + snapshot.stats.settling > 0
      ? 'No broker: this tab goes on, and hands its tile in later'
      : 'No broker: what is done is kept, and the rest goes on when it is back'
  if (snapshot.state === 'paused') return 'This tab pauses'
  return undefined
}

/** What this tab had begun waits again when the tab has stopped. */
function forgetOwn(): void {
  if (shown === undefined) return
  for (let tile = 0; tile < tileCount(shown.picture); tile += 1) {
    const state = shown.count.stateOf(tile)
    if (state?.state === 'running' && state.by === name) {
      shown.count.set(tile, { state: 'waiting' })
      stage.show(tile, { state: 'waiting' })
    }
  }
}

/** A connection may be away for a moment without anybody being told. */
function watchConnection(): void {
  const { connection, role } = client.status
  const snapshot = worker.getSnapshot()
  const isTrouble = snapshot.state === 'connecting' && snapshot.trouble !== undefined
  const isDown = (role === 'leading' && connection !== 'ready') || isTrouble
  if (!isDown) {
    clearTimeout(awayTimer)
    awayTimer = undefined
    isAway = false
  } else if (awayTimer === undefined)
    awayTimer = window.setTimeout(() => {
      isAway = true
      render()
    }, AWAY_AFTER_MS)
}

function whole(parameter: string, fallback: number): number {
  const value = Number(parameters.get(parameter))
  return Number.isInteger(value) && value > 0 && value <= 256 ? value : fallback
}

function text(node: Element, content: string): void {
  if (node.textContent !== content) node.textContent = content
}
