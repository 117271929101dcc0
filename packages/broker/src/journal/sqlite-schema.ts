import { EVENT_CODES } from './event-codec.ts'

/** "SLQ2": distinguishes this file from any other SQLite database (`PRAGMA application_id`). */
export const APPLICATION_ID = 0x53_4c_51_32

/**
 * The steps that turn version n of the file into version n + 1, starting from an empty file. A released step never
 * changes. Each step runs in one transaction with all others that an opening needs.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE batches(
    batch INTEGER PRIMARY KEY,
    events_crc32 INTEGER NOT NULL,
    bodies_crc32 INTEGER NOT NULL,
    events BLOB NOT NULL,
    bodies BLOB NOT NULL
  );
  `,
]

export const SCHEMA_VERSION = MIGRATIONS.length

function codeCases(): string {
  return Object.entries(EVENT_CODES)
    .map(([type, code]) => `WHEN '${code}' THEN '${type}'`)
    .join(' ')
}

const codes = (...types: (keyof typeof EVENT_CODES)[]) => types.map((type) => `'${EVENT_CODES[type]}'`).join()

/** Events whose second field is the task's id. */
const ofTasks = codes(
  'taskRestated',
  'taskWatched',
  'taskUnwatched',
  'taskReadied',
  'progressReported',
  'attemptFailed',
  'leaseReleased',
  'taskDied',
  'taskCancelled',
  'taskRedriven',
  'taskForgotten',
)

/**
 * Views for people, recreated at each opening. The program never reads them.
 * - `events(batch, position, type, task, fields)`: every stored event, with `fields` as JSON. `task` is null for an
 *   event of many tasks.
 * - `tasks(task, queue, state, batch, position)`: each task with stored events, and its state as of its last change. A
 *   waiting task is `waiting` whether or not its delay is over.
 * - `tasks_by_state(state, queue, tasks)`: the number of tasks.
 */
export const VIEWS = `
  DROP VIEW IF EXISTS tasks_by_state;
  DROP VIEW IF EXISTS tasks;
  DROP VIEW IF EXISTS profiles;
  DROP VIEW IF EXISTS events;
  CREATE VIEW events AS
    SELECT
      batch,
      item.key AS position,
      CASE json_extract(item.value, '$[0]') ${codeCases()} END AS type,
      CASE WHEN json_extract(item.value, '$[0]') IN (${ofTasks}) THEN json_extract(item.value, '$[1]') END AS task,
      item.value AS fields
    FROM batches, json_each(CAST(batches.events AS TEXT), '$[1]') AS item
    WHERE item.type = 'array';
  CREATE VIEW profiles AS
    SELECT
      batch,
      item.key AS profile,
      json_extract(CAST(batches.events AS TEXT), '$[2][' || json_extract(item.value, '$[0]') || ']') AS queue
    FROM batches, json_each(CAST(batches.events AS TEXT), '$[4]') AS item;
  CREATE VIEW tasks AS
    WITH RECURSIVE told AS MATERIALIZED (SELECT * FROM events),
    accepted AS MATERIALIZED (
      SELECT ids.value AS task, json_extract(fields, '$[7]') + ids.key AS number, queue, told.batch AS batch, position
      FROM told
      JOIN profiles ON profiles.batch = told.batch AND profiles.profile = json_extract(told.fields, '$[1]'),
      json_each(told.fields, '$[4]') AS ids
      WHERE told.type = 'tasksAccepted'
    ),
    named AS MATERIALIZED (
      SELECT task, number, queue FROM accepted
      UNION
      SELECT task, json_extract(fields, '$[6]'), queue
      FROM told JOIN profiles ON profiles.batch = told.batch AND profiles.profile = json_extract(told.fields, '$[2]')
      WHERE type = 'taskRestated'
    ),
    numbered(type, batch, position, number, more) AS (
      SELECT told.type, batch, position, json_extract(run.value, '$[0]'), json_extract(run.value, '$[1]') - 1
      FROM told, json_each(fields, CASE told.type WHEN 'leasesGranted' THEN '$[3]' ELSE '$[1]' END) AS run
      WHERE told.type IN ('leasesGranted', 'tasksSucceeded', 'oldestForgotten')
      UNION ALL
      SELECT numbered.type, batch, position, number + 1, more - 1 FROM numbered WHERE more > 0
    ),
    together AS MATERIALIZED (
      SELECT task, type, batch, position FROM numbered JOIN named ON named.number = numbered.number
    ),
    states AS (
      SELECT task, batch, position, 'waiting' AS state FROM accepted
      UNION ALL
      SELECT
        task,
        batch,
        position,
        CASE type WHEN 'leasesGranted' THEN 'leased' WHEN 'tasksSucceeded' THEN 'succeeded' ELSE 'gone' END
      FROM together
      UNION ALL
      SELECT
        task,
        batch,
        position,
        CASE type
          WHEN 'taskDied' THEN 'dead'
          WHEN 'taskCancelled' THEN 'cancelled'
          WHEN 'taskForgotten' THEN 'gone'
          WHEN 'taskRestated' THEN replace(replace(json_extract(fields, '$[11][0]'), 'delayed', 'waiting'), 'ready', 'waiting')
          ELSE 'waiting'
        END
      FROM told
      WHERE task IS NOT NULL AND type NOT IN ('taskWatched', 'taskUnwatched', 'progressReported')
    ),
    changes AS (
      SELECT *, row_number() OVER (PARTITION BY task ORDER BY batch DESC, position DESC) AS age FROM states
    ),
    -- An id that was forgotten may come again, with a higher number and to another queue.
    newest AS (
      SELECT task, queue, row_number() OVER (PARTITION BY task ORDER BY number DESC) AS age FROM named
    )
    SELECT changes.task AS task, queue, state, batch, position
    FROM changes JOIN newest ON newest.task = changes.task AND newest.age = 1
    WHERE changes.age = 1 AND state != 'gone';
  CREATE VIEW tasks_by_state AS SELECT state, queue, count(*) AS tasks FROM tasks GROUP BY state, queue;
`
