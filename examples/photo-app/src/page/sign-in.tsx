import { DEMO_USERS, signIn } from './session.ts'
import { Wordmark } from './wordmark.tsx'

export function SignIn() {
  return (
    <main className="sign-in">
      <Wordmark />
      <h1>Who are you?</h1>
      <p className="muted">
        Two users of this demo share the device. Each sees, sends and deletes only what is their own.
      </p>
      <div className="sign-in-users">
        {DEMO_USERS.map(({ id, name }) => (
          <button key={id} type="button" className="button user-choice" onClick={() => signIn(id)}>
            <span className="avatar" aria-hidden="true">
              {name[0]}
            </span>
            Sign in as {name}
          </button>
        ))}
      </div>
    </main>
  )
}
