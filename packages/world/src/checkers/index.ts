import type { Checker } from '../observation.ts'
import type { Scenario } from '../scenario.ts'
import { AcceptedTasksAreKept } from './accepted-tasks-are-kept.ts'
import { Answers } from './answers.ts'
import { Attempts } from './attempts.ts'
import { Audience } from './audience.ts'
import { Beginnings } from './beginnings.ts'
import { BodiesArrive } from './bodies-arrive.ts'
import { Busy } from './busy.ts'
import { Callers } from './callers.ts'
import { Cancellation } from './cancellation.ts'
import { ChargedLosses } from './charged-losses.ts'
import { Chronicle } from './chronicle.ts'
import { ClientDuties } from './client-duties.ts'
import { ComingBack } from './coming-back.ts'
import { ConnectionBounds } from './connection-bounds.ts'
import { Credit } from './credit.ts'
import { DeadLetters } from './dead-letters.ts'
import { DeafHandlers } from './deaf-handlers.ts'
import { Departures } from './departures.ts'
import { Discarding } from './discarding.ts'
import { DurableGrants } from './durable-grants.ts'
import { EngineInvariants } from './engine-invariants.ts'
import { Errors } from './errors.ts'
import { FencedLeases } from './fenced-leases.ts'
import { HandlerAnswers } from './handler-answers.ts'
import { Heartbeats } from './heartbeats.ts'
import { Holdings } from './holdings.ts'
import { ItemOutcomes } from './item-outcomes.ts'
import { KeyOrder } from './key-order.ts'
import { LateDeliveries } from './late-deliveries.ts'
import { LeaseLife } from './lease-life.ts'
import { LeaseNumbers } from './lease-numbers.ts'
import { Leaving } from './leaving.ts'
import { Liveness } from './liveness.ts'
import { OneItemAnIntent } from './one-item-an-intent.ts'
import { OneOutcome } from './one-outcome.ts'
import { Order } from './order.ts'
import { ProgressOrder } from './progress.ts'
import { ProgressReports } from './progress-reports.ts'
import { Punctuality } from './punctuality.ts'
import { QueueBounds } from './queue-bounds.ts'
import { Reconnection } from './reconnection.ts'
import { Records } from './records.ts'
import { Recoveries } from './recoveries.ts'
import { Replay } from './replay.ts'
import { Replies } from './replies.ts'
import { RetryBudget } from './retry-budget.ts'
import { Runs } from './runs.ts'
import { SavedIsDurable } from './saved-is-durable.ts'
import { SavedItemsAreKept } from './saved-items-are-kept.ts'
import { Sessions } from './sessions.ts'
import { Silence } from './silence.ts'
import { SilentSessions } from './silent-sessions.ts'
import type { Sources } from './sources.ts'
import { Stalls } from './stalls.ts'
import { Stores } from './stores.ts'
import { SubmitCredit } from './submit-credit.ts'
import { Suspects } from './suspects.ts'
import { Terms } from './terms.ts'
import { TimeLimits } from './time-limits.ts'
import { ToldWhenDurable } from './told-when-durable.ts'
import { Views } from './views.ts'
import { Waits } from './waits.ts'
import { Wire } from './wire.ts'

/** One checker for each promise, for one run. */
export function checkers(scenario: Scenario): Checker[] {
  const sources: Sources = {
    scenario,
    chronicle: new Chronicle(),
    wire: new Wire(),
    runs: new Runs(),
    stores: new Stores(),
  }
  return [
    new AcceptedTasksAreKept(sources),
    new ToldWhenDurable(sources),
    new OneOutcome(sources),
    new BodiesArrive(sources),
    new FencedLeases(sources),
    new LeaseNumbers(sources),
    new QueueBounds(sources),
    new ConnectionBounds(sources),
    new SubmitCredit(sources),
    new Order(sources),
    new Credit(sources),
    new Busy(sources),
    new Attempts(sources),
    new DeadLetters(sources),
    new Records(sources),
    new Replay(sources),
    new EngineInvariants(),
    new Liveness(sources),
    new Sessions(sources),
    new Cancellation(sources),
    new ProgressOrder(),
    new Errors(sources),
    new Leaving(sources),
    new LeaseLife(sources),
    new Punctuality(sources),
    new Silence(sources),
    new ClientDuties(sources),
    new Reconnection(sources),
    new Audience(sources),
    new TimeLimits(sources),
    new Holdings(sources),
    new Discarding(sources),
    new Answers(),
    new Views(sources),
    new Waits(sources),
    new Replies(),
    new Terms(sources),
    new Recoveries(sources),
    new Heartbeats(sources),
    new ComingBack(sources),
    new Departures(sources),
    new HandlerAnswers(sources),
    new ProgressReports(sources),
    new DeafHandlers(sources),
    new RetryBudget(sources),
    new Callers(sources),
    new ChargedLosses(sources),
    new Suspects(sources),
    new Beginnings(sources),
    new DurableGrants(sources),
    new SilentSessions(sources),
    new Stalls(sources),
    new LateDeliveries(sources),
    // Without an outbox there is nothing that they could see.
    ...(scenario.browsers === undefined
      ? []
      : [
          new SavedItemsAreKept(sources),
          new SavedIsDurable(sources),
          new OneItemAnIntent(sources),
          new KeyOrder(sources),
          new ItemOutcomes(sources),
        ]),
  ]
}
