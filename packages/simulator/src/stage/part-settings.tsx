import type { Change, Distribution, Scenario } from '@sluice/world'
import { useId } from 'preact/hooks'
import { rateOf } from '../player/settings.ts'
import type { PartView } from '../view/stage-view.ts'
import { DEVICE_FAULTS, type FaultByHand, faultsOf } from './faults-by-hand.ts'
import './part-settings.css'
import { nameOf, statusOf } from './words.ts'

export interface PartSettingsProps {
  part: PartView
  /** As hands have changed it. */
  scenario: Scenario
  onChange: (change: Change) => void
  onClose: () => void
}

/** What can be changed about a part, and what can happen to it. */
export function PartSettings({ part, scenario, onChange, onClose }: PartSettingsProps) {
  const faults = [...faultsOf(part.kind), ...(part.kind === 'tab' ? DEVICE_FAULTS : [])]
  const deviceOf = (fault: FaultByHand) => (DEVICE_FAULTS.includes(fault) ? deviceName(part.name, scenario) : part.name)
  return (
    <section class="settings" aria-label={`Settings of ${nameOf(part)}`}>
      <header class="settings-head">
        <h3>{nameOf(part)}</h3>
        <span class="settings-status">{statusOf(part)}</span>
        <button type="button" class="quiet" onClick={onClose} aria-label="Close the settings">
          ✕
        </button>
      </header>
      {part.kind === 'producer' && <ProducerFields part={part} scenario={scenario} onChange={onChange} />}
      {part.kind === 'worker' && <WorkerFields part={part} scenario={scenario} onChange={onChange} />}
      {part.kind === 'broker' && <BrokerFields scenario={scenario} onChange={onChange} />}
      <h4>Let something happen to it</h4>
      <div class="fault-buttons">
        {faults.map((fault) => (
          <button
            key={fault.label}
            type="button"
            class="fault"
            title={fault.meaning}
            onClick={() => onChange({ type: 'fault', fault: fault.fault(deviceOf(fault)) })}
          >
            {fault.label}
          </button>
        ))}
      </div>
      <button type="button" class="quiet settings-mend" onClick={() => onChange({ type: 'endFaults' })}>
        End all faults
      </button>
    </section>
  )
}

/** Tabs are numbered through the devices. */
function deviceName(tab: string, { browsers = [] }: Scenario): string {
  let number = Number(tab.slice(tab.lastIndexOf('-') + 1))
  let device = 1
  for (const { count, tabs } of browsers)
    for (let i = 0; i < count; i += 1, device += 1) {
      if (number <= tabs) return `browser-${device}`
      number -= tabs
    }
  return 'browser-1'
}

type FieldsProps = Pick<PartSettingsProps, 'part' | 'scenario' | 'onChange'>

function ProducerFields({ part, scenario, onChange }: FieldsProps) {
  const group = part.group ?? 0
  const settings = scenario.producers[group]
  if (settings === undefined) return null
  const rate = rateOf(settings.arrivals)
  return (
    <>
      {rate !== undefined && (
        <Slider
          label="Tasks a second, each"
          value={rate}
          min={0.1}
          max={20}
          step={0.1}
          isLogarithmic
          onChange={(value) => onChange({ type: 'arrivals', group, arrivals: { kind: 'poisson', rate: value } })}
        />
      )}
      <Counter
        label="Producers"
        value={settings.count}
        max={12}
        onChange={(count) => onChange({ type: 'producers', group, count })}
      />
    </>
  )
}

function WorkerFields({ part, scenario, onChange }: FieldsProps) {
  const group = part.group ?? 0
  const settings = scenario.workers[group]
  if (settings === undefined) return null
  return (
    <>
      <Counter
        label="Workers"
        value={settings.count}
        max={16}
        onChange={(count) => onChange({ type: 'workers', group, count })}
      />
      <Counter
        label="Handlers at once, each"
        value={settings.concurrency}
        min={1}
        max={16}
        onChange={(concurrency) => onChange({ type: 'concurrency', group, concurrency })}
      />
      {Object.entries(settings.service).map(([queue, service]) => (
        <div key={queue} class="settings-group">
          <Slider
            label={`A task of ${queue} takes`}
            unit="ms"
            value={middleOf(service.ms)}
            min={10}
            max={20_000}
            step={10}
            isLogarithmic
            onChange={(value) => onChange({ type: 'service', group, queue, service: { ms: around(value) } })}
          />
          <Slider
            label={`Of 100 of ${queue} fail`}
            value={Math.round((service.fails ?? 0) * 100)}
            min={0}
            max={100}
            step={1}
            onChange={(value) => onChange({ type: 'service', group, queue, service: { fails: value / 100 } })}
          />
        </div>
      ))}
    </>
  )
}

function BrokerFields({ scenario, onChange }: Pick<FieldsProps, 'scenario' | 'onChange'>) {
  return (
    <>
      <Slider
        label="A message takes, one way"
        unit="ms"
        value={middleOf(scenario.network.delayMs)}
        min={1}
        max={3000}
        step={1}
        isLogarithmic
        onChange={(value) => onChange({ type: 'delay', delayMs: around(value) })}
      />
      <Slider
        label="An append to the journal takes"
        unit="ms"
        value={middleOf(scenario.journal.appendMs)}
        min={1}
        max={3000}
        step={1}
        isLogarithmic
        onChange={(value) => onChange({ type: 'append', appendMs: { kind: 'constant', value } })}
      />
    </>
  )
}

/** A value from which a slider starts, whatever the distribution. */
function middleOf(distribution: Distribution): number {
  switch (distribution.kind) {
    case 'constant':
      return distribution.value
    case 'uniform':
      return Math.round((distribution.min + distribution.max) / 2)
    case 'exponential':
      return distribution.mean
    case 'pareto':
      return distribution.min
    case 'bimodal':
      return distribution.fast
  }
}

/** Spread evenly over a third to either side, so that not everything is alike. */
function around(value: number): Distribution {
  return { kind: 'uniform', min: Math.round((value * 2) / 3), max: Math.round((value * 4) / 3) }
}

interface SliderProps {
  label: string
  unit?: string
  value: number
  min: number
  max: number
  step: number
  /** Small values have as much room as large ones. */
  isLogarithmic?: boolean
  onChange: (value: number) => void
}

const NOTCHES = 200

function Slider({ label, unit = '', value, min, max, step, isLogarithmic = false, onChange }: SliderProps) {
  const id = useId()
  const low = Math.max(min, step)
  const toNotch = (of: number) =>
    isLogarithmic ? Math.round((NOTCHES * Math.log(Math.max(of, low) / low)) / Math.log(max / low)) : of
  const ofNotch = (notch: number) => {
    if (!isLogarithmic) return notch
    const exact = low * (max / low) ** (notch / NOTCHES)
    return Number((Math.round(exact / step) * step).toPrecision(2))
  }
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <output for={id}>
        {value} {unit}
      </output>
      <input
        id={id}
        type="range"
        min={isLogarithmic ? 0 : min}
        max={isLogarithmic ? NOTCHES : max}
        step={isLogarithmic ? 1 : step}
        value={toNotch(value)}
        aria-valuetext={`${value} ${unit}`}
        onChange={(event) => onChange(ofNotch(event.currentTarget.valueAsNumber))}
      />
    </div>
  )
}

interface CounterProps {
  label: string
  value: number
  min?: number
  max: number
  onChange: (value: number) => void
}

function Counter({ label, value, min = 0, max, onChange }: CounterProps) {
  return (
    <fieldset class="field counter" aria-label={label}>
      <span>{label}</span>
      <button
        type="button"
        disabled={value <= min}
        onClick={() => onChange(value - 1)}
        aria-label={`${label}: one less`}
      >
        −
      </button>
      <output>{value}</output>
      <button
        type="button"
        disabled={value >= max}
        onClick={() => onChange(value + 1)}
        aria-label={`${label}: one more`}
      >
        +
      </button>
    </fieldset>
  )
}
