import type { BrokerMessage, ClientMessage } from '@sluice/protocol'
import type { Fact } from '../journal/facts.ts'
import { deliveredItems, outcomeItems } from '../message-items.ts'
import type { ObservationOf } from '../observation.ts'
import type { Cast } from './cast.ts'

type Said = ObservationOf<'sentToBroker'> | ObservationOf<'sentByBroker'>
type Heard = ObservationOf<'heardByBroker'> | ObservationOf<'heardByNode'>

/** What a message says about the tasks and nodes of a story; nothing if it is about others. */
export function saidText({ type, node, connection, message }: Said, cast: Cast): string[] {
  return type === 'sentToBroker'
    ? nodeText(node, message as ClientMessage, cast)
    : brokerText(node, connection, message as BrokerMessage, cast)
}

/** The same for a message that has arrived: equal to what it said when it left. */
export function heardText({ type, node, connection, message }: Heard, cast: Cast): string[] {
  return type === 'heardByBroker'
    ? nodeText(node, message as ClientMessage, cast)
    : brokerText(node, connection, message as BrokerMessage, cast)
}

/** One sentence for each item that is of the story. */
function ofTasks<T>(
  items: readonly T[],
  name: (item: T) => string | undefined,
  text: (item: T, task: string) => string,
) {
  return items.flatMap((item) => {
    const task = name(item)
    return task === undefined ? [] : [text(item, task)]
  })
}

function nodeText(node: string, message: ClientMessage, cast: Cast): string[] {
  const leased = ({ lease }: { lease: number }) => cast.leased(lease)
  switch (message.type) {
    case 'hello': {
      if (!cast.plays(node)) return []
      const { resume } = message
      return [
        resume === undefined
          ? `${node} says hello`
          : `${node} says hello and resumes its session with leases [${resume.leases.join(', ')}]`,
      ]
    }
    case 'submit':
      return ofTasks(
        message.ids,
        (id) => cast.names(id),
        (_, task) => `${node} submits ${task} to ${message.queue}`,
      )
    case 'complete':
      return ofTasks(
        message.leases,
        (lease) => cast.leased(lease),
        (lease, task) => `${node} gives the result of ${task} (lease ${lease})`,
      )
    case 'fail':
      return ofTasks(
        message.failures,
        leased,
        ({ lease, error }, task) =>
          `${node} says that its attempt at ${task} failed (lease ${lease}): ${error.message}`,
      )
    case 'release':
      return ofTasks(
        message.leases.map((lease) => ({ lease })),
        leased,
        ({ lease }, task) => `${node} hands ${task} back (lease ${lease})`,
      )
    case 'heartbeat':
      return ofTasks(
        message.leases.map((lease) => ({ lease })),
        leased,
        ({ lease }, task) => `${node} sends a heartbeat for ${task} (lease ${lease})`,
      )
    case 'cancel':
      return ofTasks(
        message.ids,
        (id) => cast.names(id),
        (_, task) => `${node} asks to cancel ${task}`,
      )
    case 'watch':
      return ofTasks(
        message.ids,
        (id) => cast.names(id),
        (_, task) => `${node} asks for the outcome of ${task}`,
      )
    case 'query':
      return ofTasks(
        message.ids,
        (id) => cast.names(id),
        (_, task) => `${node} asks how ${task} is`,
      )
    case 'credit':
      return cast.plays(node) ? [`${node} gives a credit of ${message.credit} for ${message.queues.join(', ')}`] : []
    case 'bye':
      return cast.plays(node) ? [`${node} says goodbye`] : []
    default:
      return []
  }
}

function brokerText(node: string, connection: number, message: BrokerMessage, cast: Cast): string[] {
  switch (message.type) {
    case 'welcome': {
      if (!cast.plays(node)) return []
      const lost = message.lostLeases.length === 0 ? '' : `, leases lost: ${message.lostLeases.join(', ')}`
      return [`the broker welcomes ${node}: ${message.resumed ? 'session resumed' : 'a new session'}${lost}`]
    }
    case 'submitted':
      return answers(connection, message, cast, (task) => `the broker tells ${node} that ${task} is accepted`)
    case 'settled':
      return answers(
        connection,
        message,
        cast,
        (task) => `the broker tells ${node} that its word on ${task} is settled`,
      )
    case 'cancelled':
      return answers(connection, message, cast, (task) => `the broker tells ${node} that ${task} is cancelled`)
    case 'watched':
      return ofTasks(
        message.unknown.map((at) => cast.spokenOf(connection, message.ref)[at]),
        (task) => task,
        (_, task) => `the broker tells ${node} that it knows no ${task}`,
      )
    case 'deliver':
      return ofTasks(
        deliveredItems(message),
        ({ id }) => cast.names(id),
        ({ lease, attempt }, task) => `the broker delivers ${task} to ${node} (lease ${lease}, attempt ${attempt})`,
      )
    case 'succeeded':
    case 'ended':
      return ofTasks(
        outcomeItems(message, cast.submissionsOf(connection)),
        ({ id }) => cast.names(id),
        ({ status, reason }, task) =>
          `the broker tells ${node} the outcome of ${task}: ${status}${reason === undefined ? '' : `, ${reason}`}`,
      )
    case 'revoke':
      return ofTasks(
        message.leases,
        (lease) => cast.leased(lease),
        (lease, task) => `the broker tells ${node} to stop ${task} (lease ${lease}): ${message.reason}`,
      )
    case 'renewed':
      return ofTasks(
        message.lost,
        (lease) => cast.leased(lease),
        (lease, task) => `the broker tells ${node} that lease ${lease} of ${task} is lost`,
      )
    case 'status':
      return ofTasks(
        message.tasks,
        ({ id }) => cast.names(id),
        ({ state }, task) => `the broker tells ${node} that ${task} is ${state}`,
      )
    case 'drain':
      return cast.plays(node) ? [`the broker tells ${node} that it will leave`] : []
    case 'error':
      return cast.plays(node) ? [`the broker refuses a message of ${node}: ${message.code}, ${message.message}`] : []
    default:
      return []
  }
}

function answers(
  connection: number,
  { ref, refused }: Extract<BrokerMessage, { refused: unknown }>,
  cast: Cast,
  text: (task: string) => string,
): string[] {
  const verdicts = new Map(refused.map(({ index, error }) => [index, error]))
  return cast.spokenOf(connection, ref).flatMap((task, index) => {
    if (task === undefined) return []
    const error = verdicts.get(index)
    return [error === undefined ? text(task) : `${text(task)}: no, ${error.code}`]
  })
}

/** What a fact says about the tasks and nodes of a story. */
export function factText(fact: Fact, cast: Cast): string[] {
  if (fact.type === 'brokerStarted') return [`the broker starts, epoch ${fact.epoch}, leases from ${fact.nextLease}`]
  if (fact.type === 'brokerStalled') return [`the broker could not listen for ${Math.round(fact.ms)} ms`]
  if ('id' in fact) {
    const task = cast.names(fact.id)
    return task === undefined ? [] : [taskText(fact, task, cast)]
  }

  const node = cast.holder(fact.session)
  if (!cast.plays(node)) return []
  switch (fact.type) {
    case 'sessionOpened':
      return [`the session of ${node} is opened`]
    case 'sessionResumed':
      return [`the session of ${node} is resumed`]
    case 'sessionDisconnected':
      return [`the session of ${node} waits for it for ${Math.round(fact.graceEndsAtMs - fact.atMs)} ms`]
    case 'sessionClosed':
      return [`the session of ${node} is closed`]
    case 'sessionHeard':
      return [`${node} is heard again and rests for ${Math.round(fact.restUntilMs - fact.atMs)} ms`]
    case 'sessionRested':
      return [`${node} has rested`]
    case 'leasesBegun':
      return [`${node} has begun its leases up to ${fact.lease}`]
    default:
      return []
  }
}

function taskText(fact: Extract<Fact, { id: string }>, task: string, cast: Cast): string {
  switch (fact.type) {
    case 'taskAccepted':
      return `${task} is accepted as number ${fact.seq}`
    case 'leaseGranted':
      return `${cast.holder(fact.session)} is granted lease ${fact.lease} on ${task}`
    case 'taskSucceeded':
      return `${task} has succeeded`
    case 'attemptFailed':
      return `attempt ${fact.attempt.attempt} at ${task} ended: ${fact.attempt.how}; the next one in ${Math.round(fact.retryAtMs - fact.atMs)} ms`
    case 'leaseReleased':
      return `the lease on ${task} was ${fact.lost ? `lost unbegun: ${fact.lost}` : 'handed back'}`
    case 'taskDied':
      return `${task} is dead: ${fact.reason}`
    case 'taskCancelled':
      return `${task} is cancelled`
    case 'taskReadied':
      return `${task} is ready, its delay is over`
    case 'taskRedriven':
      return `${task} is redriven`
    case 'taskForgotten':
      return `${task} is forgotten, ${fact.isEarly ? 'to make room' : 'its time is over'}`
    case 'taskRestated':
      return `${task} is restated as ${fact.task.phase.state}`
    case 'taskWatched':
      return `${cast.holder(fact.session)} watches ${task}`
    case 'taskUnwatched':
      return `${cast.holder(fact.session)} watches ${task} no more`
    case 'progressReported':
      return `${task} makes progress`
  }
}
