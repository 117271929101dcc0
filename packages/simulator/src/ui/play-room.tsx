import type { Change } from '@sluice/world'
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import { layBeside } from '../compare/laid-beside.ts'
import { Branches } from '../player/branches.ts'
import { takeOver } from '../player/hand-over.ts'
import { Player } from '../player/player.ts'
import { scenarioAt } from '../player/settings.ts'
import { useFrames } from '../player/use-frames.ts'
import { welcome } from '../presets/welcome.ts'
import { PartSettings } from '../stage/part-settings.tsx'
import { Stage } from '../stage/stage.tsx'
import { Counts } from './counts.tsx'
import { EmptySides } from './empty-sides.tsx'
import { lazy } from './lazy.tsx'
import { Legend } from './legend.tsx'
import { PauseMenu } from './pause-menu.tsx'
import { SceneChoice } from './scene-choice.tsx'
import { ShareButton } from './share-button.tsx'
import { usePlayerKeys } from './shortcuts.ts'
import { Timeline } from './timeline.tsx'
import { useLink } from './use-link.ts'

const PlayTabs = lazy(async () => (await import('./play-tabs.tsx')).PlayTabs)

/** A scene that runs from the first moment, and can be stopped, broken and changed. */
export function PlayRoom({ link }: { link: string }) {
  const player = useMemo(() => new Player(takeOver() ?? { scenario: welcome, seed: 4, changes: [] }), [])
  const branches = useMemo(() => new Branches(player.plan.value), [player])
  const [selected, setSelected] = useState<string | undefined>(undefined)
  const [task, setTask] = useState<string | undefined>(undefined)
  const isLinked = link !== ''
  useEffect(() => {
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches
    if (!isLinked && !isCalm) player.play()
  }, [player, isLinked])
  // Another address in the same page leads to the same player.
  useEffect(() => () => player.end(), [player])
  const trouble = useLink(link, ({ plan, atMs, ...options }) => {
    branches.restart(plan)
    void player.open(plan, options).then(() => player.seek(atMs))
  })
  const close = useCallback(() => {
    // The keyboard goes on from the part.
    if (selected !== undefined) document.querySelector<HTMLElement>(`[data-part="${selected}"]`)?.focus()
    setSelected(undefined)
    setTask(undefined)
  }, [selected])
  useFrames(useCallback((ms: number) => player.frame(ms), [player]))
  usePlayerKeys(player, close)
  const stage = player.stage.value
  const victim = stage?.parts.find(({ kind, isUp }) => kind === 'worker' && isUp)
  const change = async (wanted: Change) => {
    const wasPlaying = player.isPlaying.value
    if (await player.change(wanted)) branches.fork(player.plan.value)
    if (wasPlaying) player.play()
  }
  const part = stage?.parts.find(({ name }) => name === selected)
  const { scenario, changes } = player.plan.value
  return (
    <main
      class="room"
      onDragOver={(event) => event.preventDefault()}
      onDrop={async (event) => {
        event.preventDefault()
        const file = event.dataTransfer?.files[0]
        if (file !== undefined) await player.openTrace(await file.text())
      }}
    >
      <section class="intro">
        <div>
          <h1>A task queue, thinking</h1>
          <p>
            Producers hand in tasks. The broker keeps them safe and lends each one to a worker. This is the real code in
            slow motion: <strong>break something</strong> and see what it does.
          </p>
        </div>
        <p class="intro-actions">
          <a class="solid" href="#/lessons/what-a-queue-is-for">
            Start here
          </a>
          <button
            type="button"
            class="outline"
            disabled={victim === undefined || player.isRecording.value}
            onClick={async () => {
              if (victim === undefined) return
              await change({ type: 'fault', fault: { type: 'crash', node: victim.name, restartAfterMs: 8000 } })
              player.play()
            }}
          >
            Crash a worker now
          </button>
        </p>
      </section>
      {trouble !== '' && (
        <p class="trouble" role="alert">
          {trouble}
        </p>
      )}
      {stage === undefined ? (
        <p class="stage-wait" role="status">
          The world starts…
        </p>
      ) : (
        <>
          <div class="stage-frame">
            <Stage
              stage={stage}
              selected={selected ?? task}
              label="Producers, the broker and workers"
              onSelectPart={(name) => setSelected(name === selected || name === '' ? undefined : name)}
              onSelectTask={setTask}
            />
            {part !== undefined && !player.isRecording.value && (
              <div class={`settings-place place-${part.kind}`}>
                <PartSettings
                  part={part}
                  scenario={scenarioAt(scenario, changes, stage.atMs)}
                  onClose={close}
                  onChange={change}
                />
              </div>
            )}
          </div>
          <SceneChoice
            plan={player.plan.value}
            onChoose={(plan) => {
              close()
              branches.restart(plan)
              void player.open(plan).then(() => player.play())
            }}
          />
          <EmptySides stage={stage} onChange={change} />
          <Legend />
          <Timeline
            player={player}
            branches={branches}
            onCompare={() => {
              const [first] = branches.list.value
              const shown = branches.shown.value
              if (first === undefined || shown === undefined) return
              layBeside(first, shown, player.speed.value)
              location.hash = '#/compare/runs'
            }}
          >
            <PauseMenu player={player} />
            <ShareButton player={player} />
          </Timeline>
          <Counts counts={stage.counts} />
          <PlayTabs player={player} stage={stage} task={task} onTask={setTask} />
        </>
      )}
    </main>
  )
}
