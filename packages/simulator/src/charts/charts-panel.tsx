import type { ObservedMachine } from '@sluice/machines/states'
import { useState } from 'preact/hooks'
import type { ChartsView, InstanceView } from '../view/charts.ts'
import { ruleHref } from '../view/rule-link.ts'
import { instantText } from '../view/words.ts'
import { ChartView } from './chart-view.tsx'
import { MACHINE_TITLES } from './chart-words.ts'
import './charts-panel.css'
import { CHART_LAYOUTS } from './layouts.ts'
import { rulesOf } from './rules.ts'

const MACHINES = Object.keys(MACHINE_TITLES) as readonly ObservedMachine[]

interface ChartsPanelProps {
  charts: ChartsView
  /** The short name of a task, where the id is one. */
  numberOf: (id: string) => number | undefined
}

/** The state charts that the programs run, with what is active in one of them. */
export function ChartsPanel({ charts, numberOf }: ChartsPanelProps) {
  const [machine, setMachine] = useState<ObservedMachine>('task')
  const [chosen, setChosen] = useState('')
  const { instances, last: lastOfAny } = charts.machines[machine]
  const keyOf = ({ node, id }: { node: string; id: string }) => `${node} ${id}`
  // Without a choice, the one that moved last is shown.
  const shown =
    instances.find((instance) => keyOf(instance) === chosen) ??
    instances.find((instance) => lastOfAny !== undefined && keyOf(instance) === keyOf(lastOfAny))
  const layout = CHART_LAYOUTS[machine]
  return (
    <div class="charts-panel">
      <div class="charts-choice">
        <label>
          Chart{' '}
          <select
            value={machine}
            onChange={(event) => {
              setMachine(event.currentTarget.value as ObservedMachine)
              setChosen('')
            }}
          >
            {MACHINES.map((name) => (
              <option key={name} value={name}>
                {MACHINE_TITLES[name]} ({charts.machines[name].instances.length})
              </option>
            ))}
          </select>
        </label>
        <label>
          Which one{' '}
          <select value={chosen} onChange={(event) => setChosen(event.currentTarget.value)}>
            <option value="">the one that moved last</option>
            {instances.slice(0, 200).map((instance) => (
              <option key={keyOf(instance)} value={keyOf(instance)}>
                {nameOf(instance, numberOf)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {shown === undefined ? (
        <>
          <p class="charts-words">None of these has moved yet.</p>
          <ChartView layout={layout} active={[]} />
        </>
      ) : (
        <>
          <Words instance={shown} machine={machine} name={nameOf(shown, numberOf)} />
          <ChartView
            layout={layout}
            active={shown.active}
            last={{ ...shown.last, key: `${keyOf(shown)} ${shown.last.number}` }}
          />
        </>
      )}
    </div>
  )
}

function nameOf({ node, id, active }: InstanceView, numberOf: (id: string) => number | undefined): string {
  const number = numberOf(id)
  const which = number === undefined ? (id === '' ? node : `${node}, ${id.slice(0, 8)}`) : `#${number}`
  return `${which}: ${active.join(', ')}`
}

function Words({ instance, machine, name }: { instance: InstanceView; machine: ObservedMachine; name: string }) {
  const { last } = instance
  const rules = rulesOf(CHART_LAYOUTS[machine], last)
  return (
    <p class="charts-words" aria-live="off">
      <b>{name}</b>. At {instantText(last.atMs)} <i>{last.event}</i> led from <i>{last.from}</i> to <i>{last.to}</i>
      {last.guard !== undefined && (
        <>
          , because <i>{last.guard}</i>
        </>
      )}
      .
      {rules.map((rule) => (
        <a key={rule} class="rule" href={ruleHref(rule)} target="_blank" rel="noreferrer">
          {rule}
        </a>
      ))}
    </p>
  )
}
