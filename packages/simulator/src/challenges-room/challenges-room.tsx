import { challenges } from '../challenges/index.ts'
import { challengeHash } from './challenge-link.ts'
import { ChallengePage } from './challenge-page.tsx'
import { solved } from './solved.ts'
import './challenges-room.css'

/** A list of challenges, or one of them. */
export function ChallengesRoom({ name }: { name: string | undefined }) {
  const challenge = challenges.find((one) => one.name === name)
  return (
    <main class="room">
      {challenge === undefined ? <ChallengeList /> : <ChallengePage key={challenge.name} challenge={challenge} />}
    </main>
  )
}

function ChallengeList() {
  return (
    <>
      <section class="intro">
        <div>
          <h1>Challenges</h1>
          <p>A level of service, a few knobs, and seldom enough money. Your solution must hold for several seeds.</p>
        </div>
      </section>
      <ul class="challenge-list">
        {challenges.map((challenge) => {
          const isSolved = solved.value.includes(challenge.name)
          return (
            <li key={challenge.name} class={isSolved ? 'is-solved' : ''}>
              <a href={challengeHash(challenge)}>
                <b>{challenge.title}</b>
                <span>{challenge.text[0]}</span>
                <span class="challenge-state">
                  {isSolved ? '✓ solved' : `${challenge.goals.length} goals`}
                  {challenge.budget > 0 && ` · a budget of ${challenge.budget}`}
                </span>
              </a>
            </li>
          )
        })}
      </ul>
    </>
  )
}
