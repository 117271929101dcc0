import { useState } from 'preact/hooks'
import { ChartsPanel } from '../charts/charts-panel.tsx'
import { ExportMenu } from '../panels/export-menu.tsx'
import { GanttPanel } from '../panels/gantt-panel.tsx'
import { MeasuresPanel } from '../panels/measures-panel.tsx'
import { NarrationPanel } from '../panels/narration-panel.tsx'
import { StoryPanel } from '../panels/story-panel.tsx'
import type { Player } from '../player/player.ts'
import { useAsked } from '../player/use-asked.ts'
import { stillOf } from '../stage/still.ts'
import { TaskTable } from '../stage/task-table.tsx'
import type { StageView } from '../view/stage-view.ts'
import { Tabs } from './tabs.tsx'

const TABS = [
  { name: 'narration', words: 'What happens' },
  { name: 'measures', words: 'Measures' },
  { name: 'gantt', words: 'Attempts' },
  { name: 'charts', words: 'State charts' },
  { name: 'tasks', words: 'Tasks' },
] as const

/** How far back attempts are drawn. */
const GANTT_MS = 30_000
const HAPPENINGS = 60

interface PlayTabsProps {
  player: Player
  stage: StageView
  /** The task whose story is shown. */
  task: string | undefined
  onTask: (id: string | undefined) => void
}

/** The same run in words, numbers and charts. */
export function PlayTabs({ player, stage, task, onTask }: PlayTabsProps) {
  const [tab, setTab] = useState<string>('narration')
  return (
    <>
      <div class="run-tools">
        <ExportMenu
          name={player.plan.value.scenario.name}
          onPng={() => stillOf(stage, document.body)}
          onMeasures={() => player.engine.measures(player.atMs.value)}
          onTrace={(format) => player.engine.trace(player.atMs.value, format)}
        />
        <label class="panel-button">
          Open a trace
          <input
            type="file"
            class="visually-hidden"
            accept=".jsonl,.trace,.txt,application/json"
            onChange={async (event) => {
              const file = event.currentTarget.files?.[0]
              event.currentTarget.value = ''
              if (file !== undefined) await player.openTrace(await file.text())
            }}
          />
        </label>
      </div>
      {task !== undefined && <Story player={player} task={task} onClose={() => onTask(undefined)} />}
      <Tabs tabs={TABS} current={tab} onTab={setTab} label="The run in words, numbers and charts">
        {tab === 'narration' && <Narration player={player} onTask={onTask} />}
        {tab === 'measures' && <Measures player={player} />}
        {tab === 'gantt' && <Gantt player={player} onTask={onTask} />}
        {tab === 'charts' && <Charts player={player} stage={stage} />}
        {tab === 'tasks' && <TaskTable stage={stage} selected={task} onTask={onTask} />}
      </Tabs>
    </>
  )
}

function Story({ player, task, onClose }: { player: Player; task: string; onClose: () => void }) {
  const story = useAsked(player, task, (engine, atMs) => engine.story(task, atMs))
  return story === undefined ? null : <StoryPanel story={story} onClose={onClose} />
}

interface AskingProps {
  player: Player
  onTask: (id: string) => void
}

function Narration({ player, onTask }: AskingProps) {
  const happenings = useAsked(player, '', (engine, atMs) => engine.narration(atMs, HAPPENINGS))
  return happenings === undefined ? <Wait /> : <NarrationPanel happenings={happenings} onTask={onTask} />
}

function Measures({ player }: { player: Player }) {
  const measures = useAsked(player, '', (engine, atMs) => engine.measures(atMs))
  return measures === undefined ? <Wait /> : <MeasuresPanel measures={measures} />
}

function Gantt({ player, onTask }: AskingProps) {
  const gantt = useAsked(player, '', (engine, atMs) => engine.gantt(Math.max(0, atMs - GANTT_MS), atMs))
  return gantt === undefined ? <Wait /> : <GanttPanel gantt={gantt} onTask={onTask} />
}

function Charts({ player, stage }: { player: Player; stage: StageView }) {
  const charts = useAsked(player, '', (engine, atMs) => engine.charts(atMs))
  const numbers = new Map(stage.tasks.map(({ id, number }) => [id, number]))
  return charts === undefined ? <Wait /> : <ChartsPanel charts={charts} numberOf={(id) => numbers.get(id)} />
}

function Wait() {
  return <p class="tab-wait">One moment…</p>
}
